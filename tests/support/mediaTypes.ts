/** Media types of uploaded pictures, the documented two first, and some types that are not pictures. */
export const mediaTypes = [
  ...["image/jpeg", "image/png", "image/jpg", "image/webp", "image/avif", "image/gif", "image/heic", "image/svg+xml"],
  ...["application/octet-stream", "multipart/form-data; boundary=x", "application/json", "application/pdf"],
  ...["application/x-www-form-urlencoded", "text/plain", "text/html; charset=utf-8", "*/*"],
  // Properties that every JavaScript object has.
  ...["constructor", "__proto__"],
];
