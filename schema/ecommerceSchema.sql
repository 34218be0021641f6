-- The documented database and its six tables, for MySQL 8.4 and 9.x.
--
-- This file may be applied any number of times: it makes what is missing and never changes or removes what is there.
-- It says how the tables begin. A later change of a table belongs in migrations/, and from the first one on this file
-- stays as it is.

CREATE DATABASE IF NOT EXISTS `ecommerce_db`
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci;

USE `ecommerce_db`;

CREATE TABLE IF NOT EXISTS `addresses` (
  `Add_Id` int unsigned NOT NULL AUTO_INCREMENT,
  `Add_UserID` char(36) NOT NULL DEFAULT '',
  `Add_Address` varchar(100) DEFAULT NULL,
  `Add_City` varchar(50) DEFAULT NULL,
  `Add_State` varchar(50) DEFAULT NULL,
  `Add_PostalCode` varchar(10) DEFAULT NULL,
  `Add_Phone` varchar(40) DEFAULT NULL,
  `Add_Title` varchar(50) DEFAULT NULL,
  `Add_Name` varchar(60) DEFAULT NULL,
  PRIMARY KEY (`Add_Id`),
  KEY `Add_UserID` (`Add_UserID`)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci;

CREATE TABLE IF NOT EXISTS `category` (
  `Categ_Id` int unsigned NOT NULL AUTO_INCREMENT,
  `Categ_Name` varchar(100) DEFAULT NULL,
  `Categ_Path` varchar(150) DEFAULT NULL,
  PRIMARY KEY (`Categ_Id`)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci;

CREATE TABLE IF NOT EXISTS `orders` (
  `Order_Id` int unsigned NOT NULL AUTO_INCREMENT,
  `Order_UserUUID` char(36) DEFAULT NULL,
  `Order_AddId` int unsigned DEFAULT NULL,
  `Order_Date` datetime DEFAULT CURRENT_TIMESTAMP,
  `Order_Total` decimal(20, 2) DEFAULT '0.00',
  PRIMARY KEY (`Order_Id`),
  KEY `Order_Date` (`Order_Date`),
  KEY `Order_UserUUID` (`Order_UserUUID`),
  KEY `Order_AddId` (`Order_AddId`)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci;

CREATE TABLE IF NOT EXISTS `orders_detail` (
  `OD_Id` int unsigned NOT NULL AUTO_INCREMENT,
  `OD_OrderId` int unsigned NOT NULL,
  `OD_ProdId` int unsigned NOT NULL,
  `OD_Quantity` mediumint unsigned NOT NULL DEFAULT '0',
  `OD_Price` decimal(20, 2) unsigned NOT NULL DEFAULT '0.00',
  PRIMARY KEY (`OD_Id`),
  KEY `OD_OrderId` (`OD_OrderId`),
  KEY `OD_ProdId` (`OD_ProdId`)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci;

CREATE TABLE IF NOT EXISTS `products` (
  `Prod_Id` int unsigned NOT NULL AUTO_INCREMENT,
  `Prod_Title` varchar(100) NOT NULL,
  `Prod_Description` varchar(6500) DEFAULT NULL,
  `Prod_CreatedAt` datetime DEFAULT CURRENT_TIMESTAMP,
  `Prod_Updated` datetime DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP,
  `Prod_Price` decimal(20, 2) unsigned NOT NULL DEFAULT '0.00',
  `Prod_Path` varchar(100) DEFAULT NULL,
  `Prod_CategoryId` mediumint DEFAULT NULL,
  `Prod_Stock` int DEFAULT '0',
  PRIMARY KEY (`Prod_Id`),
  KEY `Prod_CreatedAt` (`Prod_CreatedAt`),
  KEY `Prod_Updated` (`Prod_Updated`),
  KEY `Prod_CategoryId` (`Prod_CategoryId`)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- `User_UUID` is the `sub` of Cognito; `User_Status` 0 is an administrator, 1 everyone else.
CREATE TABLE IF NOT EXISTS `users` (
  `User_UUID` char(36) NOT NULL,
  `User_Email` varchar(100) NOT NULL DEFAULT '',
  `User_FirstName` varchar(20) DEFAULT NULL,
  `User_LastName` varchar(20) DEFAULT NULL,
  `User_Status` tinyint unsigned NOT NULL DEFAULT '1',
  `User_DateAdd` datetime NOT NULL,
  `User_DateUpg` datetime DEFAULT NULL,
  PRIMARY KEY (`User_UUID`),
  UNIQUE KEY `User_Email` (`User_Email`),
  KEY `User_DateAdd` (`User_DateAdd`)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci;
