import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  AdminConfirmSignUpCommand,
  AdminCreateUserCommand,
  AdminDeleteUserCommand,
  AdminGetUserCommand,
  AdminInitiateAuthCommand,
  AdminSetUserPasswordCommand,
  ConfirmForgotPasswordCommand,
  ConfirmSignUpCommand,
  ForgotPasswordCommand,
  InitiateAuthCommand,
  ResendConfirmationCodeCommand,
  RespondToAuthChallengeCommand,
  SignUpCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AwsError } from "../../../../local/services/aws/awsError";
import { LocalCognito, password } from "./support";

let local: LocalCognito;
const email = "Ada@example.com";
const hour = 3600_000;
const [ClientId, UserPoolId] = [() => local.clientId, () => local.poolId];
const signUp = (Username = email, Password = password) =>
  local.sdk.send(new SignUpCommand({ ClientId: ClientId(), Username, Password }));
const confirm = (ConfirmationCode = local.code(email), Username = email) =>
  local.sdk.send(new ConfirmSignUpCommand({ ClientId: ClientId(), Username, ConfirmationCode }));
const signIn = (PASSWORD = password, USERNAME = email) =>
  local.sdk.send(
    new InitiateAuthCommand({
      ClientId: ClientId(),
      AuthFlow: "USER_PASSWORD_AUTH",
      AuthParameters: { USERNAME, PASSWORD },
    }),
  );
const adminGet = (Username = email) => local.sdk.send(new AdminGetUserCommand({ UserPoolId: UserPoolId(), Username }));
const refusedAs = (name: string, message?: string | RegExp) =>
  message === undefined ? { name } : { name, message: expect.stringMatching(message) };
const wrongCode = () => (local.code(email) === "000000" ? "000001" : "000000");

beforeEach(async () => {
  local = await LocalCognito.start();
});
afterEach(() => local.dispose());

describe("signing up", () => {
  test("mails a code by the pool's template, and confirms with it", async () => {
    const answer = await signUp();
    expect(answer).toMatchObject({
      UserConfirmed: false,
      UserSub: expect.stringMatching(/^[0-9a-f-]{36}$/),
      CodeDeliveryDetails: { Destination: "A***@e***", DeliveryMedium: "EMAIL", AttributeName: "email" },
    });
    const listed = await (await fetch(local.cognito.mailboxUrl)).text();
    expect(listed, "readable for people").toContain(`[\n  {\n    "to": "${email}",\n`);
    expect(JSON.parse(listed)).toEqual([
      {
        to: email,
        subject: "Your confirmation code",
        body: `Use ${local.code(email)} to confirm.`,
        code: expect.stringMatching(/^\d{6}$/),
        at: expect.stringMatching(/Z$/),
      },
    ]);
    expect(local.reported).toEqual([`Mail to ${email}: Your confirmation code: ${local.code(email)}`]);
    await expect(signIn()).rejects.toMatchObject(refusedAs("UserNotConfirmedException"));
    await confirm();
    expect(await adminGet()).toMatchObject({ Username: answer.UserSub, UserStatus: "CONFIRMED", Enabled: true });
  });

  test("sends Cognito's event to the function", async () => {
    const { UserSub } = await signUp();
    await confirm();
    expect(local.events).toEqual([
      {
        version: "1",
        region: "us-east-1",
        userPoolId: local.poolId,
        userName: UserSub,
        callerContext: { awsSdkVersion: "aws-sdk-unknown-unknown", clientId: local.clientId },
        triggerSource: "PostConfirmation_ConfirmSignUp",
        request: {
          userAttributes: { sub: UserSub, email, email_verified: "true", "cognito:user_status": "CONFIRMED" },
        },
        response: {},
      },
    ]);
  });

  test("confirmed by an administrator leaves the address unverified", async () => {
    await signUp();
    await local.sdk.send(new AdminConfirmSignUpCommand({ UserPoolId: UserPoolId(), Username: email }));
    expect(local.events[0]).toMatchObject({
      callerContext: { clientId: "CLIENT_ID_NOT_APPLICABLE" },
      request: { userAttributes: { email_verified: "false" } },
    });
  });

  test("reports the function's error, and the person stays confirmed", async () => {
    local.trigger = async () => {
      throw new Error("no row could be written");
    };
    await signUp();
    const message = "PostConfirmation failed with error no row could be written.";
    await expect(confirm()).rejects.toMatchObject({ name: "UserLambdaValidationException", message });
    expect((await adminGet()).UserStatus).toBe("CONFIRMED");
    await expect(confirm("123456")).rejects.toMatchObject(refusedAs("NotAuthorizedException", /status is CONFIRMED/));
    expect(local.events).toHaveLength(1);
  });

  test.each([
    ["AccessDeniedException", new AwsError("AccessDeniedException", 403, "no permission")],
    [
      "Socket timeout while invoking Lambda function",
      new AwsError("Socket timeout while invoking Lambda function", 504, ""),
    ],
  ])("reports an error of Lambda itself: %s", async (reason, error) => {
    local.trigger = () => Promise.reject(error);
    await signUp();
    const message = `PostConfirmation invocation failed due to error ${reason}.`;
    await expect(confirm()).rejects.toMatchObject({ name: "UnexpectedLambdaException", message });
  });

  test("refuses a function's result that is not an event", async () => {
    local.trigger = async () => null;
    await signUp();
    await expect(confirm()).rejects.toMatchObject(refusedAs("InvalidLambdaResponseException"));
  });

  test("is refused for an address in use, in upper or lower case, even if two come at once", async () => {
    const both = await Promise.allSettled([signUp(email), signUp(email.toUpperCase())]);
    expect(both.map((one) => one.status).sort()).toEqual(["fulfilled", "rejected"]);
    await expect(signUp("ADA@EXAMPLE.COM")).rejects.toMatchObject(refusedAs("UsernameExistsException"));
    await local.sdk.send(new AdminDeleteUserCommand({ UserPoolId: UserPoolId(), Username: "ada@example.com" }));
    const again = await signUp();
    expect(again.UserSub).toBeTruthy();
  });

  const at100 = `${"a".repeat(88)}@example.com`;
  test.each([at100, "o'brien@example.com", "zoë@exämple.com", "a+b@example.com"])("accepts %s", async (address) => {
    await signUp(address);
    expect((await adminGet(address)).UserAttributes).toContainEqual({ Name: "email", Value: address });
  });

  test.each([
    ["ada", /Username should be an email/],
    ["a@@b.com", /Username should be an email/],
    ["x\n@example.com", /Username should be an email/],
    [`a${at100}`, /email: String must not be longer than 100 characters/],
  ])("refuses the address %j", async (address, message) => {
    await expect(signUp(address)).rejects.toMatchObject(refusedAs("InvalidParameterException", message));
  });

  test.each([
    ["Short-1", "Password not long enough"],
    ["lower-case-1", "Password must have uppercase characters"],
    ["UPPER-CASE-1", "Password must have lowercase characters"],
    ["No-numbers", "Password must have numeric characters"],
    ["NoSymbols1", "Password must have symbol characters"],
  ])("refuses the password %s", async (wrong, rule) => {
    const message = `Password did not conform with policy: ${rule}`;
    await expect(signUp(email, wrong)).rejects.toMatchObject({ name: "InvalidPasswordException", message });
  });

  test("refuses an attribute that only Cognito sets, or that the schema lacks", async () => {
    for (const Name of ["sub", "email_verified", "custom:role", "__proto__"]) {
      const command = new SignUpCommand({
        ClientId: ClientId(),
        Username: email,
        Password: password,
        UserAttributes: [{ Name, Value: "true" }],
      });
      await expect(local.sdk.send(command)).rejects.toMatchObject(refusedAs("InvalidParameterException"));
    }
  });
});

describe("codes", () => {
  test("are valid for 24 hours, and a new one replaces an expired one", async () => {
    await signUp();
    const first = local.code(email);
    local.ahead = 23 * hour;
    await expect(confirm(wrongCode())).rejects.toMatchObject(refusedAs("CodeMismatchException"));
    local.ahead = 24 * hour + 1;
    await expect(confirm(first)).rejects.toMatchObject(refusedAs("ExpiredCodeException"));
    await local.sdk.send(new ResendConfirmationCodeCommand({ ClientId: ClientId(), Username: email }));
    await confirm();
  });

  test("cannot be guessed: five wrong answers, ten mails an hour", async () => {
    await signUp();
    for (let i = 0; i < 5; i++) {
      await expect(confirm(wrongCode())).rejects.toMatchObject(refusedAs("CodeMismatchException"));
    }
    await expect(confirm()).rejects.toMatchObject(refusedAs("LimitExceededException"));
    const resend = () => local.sdk.send(new ResendConfirmationCodeCommand({ ClientId: ClientId(), Username: email }));
    for (let i = 0; i < 9; i++) await resend();
    await expect(resend()).rejects.toMatchObject(refusedAs("LimitExceededException"));
    local.ahead = hour + 1;
    await resend();
    await confirm();
    await expect(resend()).rejects.toMatchObject(refusedAs("InvalidParameterException", /already confirmed/));
  });

  test("look the same for unknown users as for known ones", async () => {
    const [nobody, client] = ["nobody@example.com", ClientId()];
    const details = { CodeDeliveryDetails: { Destination: "n***@e***" } };
    const resend = new ResendConfirmationCodeCommand({ ClientId: client, Username: nobody });
    expect(await local.sdk.send(resend)).toMatchObject(details);
    expect(await local.sdk.send(new ForgotPasswordCommand({ ClientId: client, Username: nobody }))).toMatchObject(
      details,
    );
    expect(local.reported).toEqual([]);
    await expect(confirm("123456", nobody)).rejects.toMatchObject(refusedAs("ExpiredCodeException"));
    await expect(signIn(password, nobody)).rejects.toMatchObject(
      refusedAs("NotAuthorizedException", "Incorrect username or password."),
    );
    await local.restart({ client: { preventUserExistenceErrors: "LEGACY" } });
    await expect(signIn(password, nobody)).rejects.toMatchObject(refusedAs("UserNotFoundException"));
  });
});

describe("a forgotten password", () => {
  const next = "Another-horse-2";
  const reset = (ConfirmationCode: string) =>
    local.sdk.send(
      new ConfirmForgotPasswordCommand({ ClientId: ClientId(), Username: email, ConfirmationCode, Password: next }),
    );
  const forget = () => local.sdk.send(new ForgotPasswordCommand({ ClientId: ClientId(), Username: email }));

  test("is replaced with a code that is valid for an hour, and the function is called once more", async () => {
    await signUp();
    await confirm();
    await forget();
    const code = local.code(email);
    await reset(code);
    expect(local.events[1]).toMatchObject({ triggerSource: "PostConfirmation_ConfirmForgotPassword" });
    await signIn(next);
    await expect(signIn(password)).rejects.toMatchObject(refusedAs("NotAuthorizedException"));
    await expect(reset(code)).rejects.toMatchObject(refusedAs("ExpiredCodeException"));
    await forget();
    local.ahead = hour + 1;
    await expect(reset(local.code(email))).rejects.toMatchObject(refusedAs("ExpiredCodeException"));
  });

  test("is not replaced without a code that was requested for it", async () => {
    await signUp();
    // The sign-up's code confirms an address only: it resets no password, and neither does an empty code.
    await expect(reset(local.code(email))).rejects.toMatchObject(refusedAs("ExpiredCodeException"));
    await expect(reset("")).rejects.toMatchObject(refusedAs("InvalidParameterException"));
    await confirm();
    await expect(reset("undefined")).rejects.toMatchObject(refusedAs("ExpiredCodeException"));
    await signIn(password);
  });

  test("sends no code to an unverified address", async () => {
    await signUp();
    await local.sdk.send(new AdminConfirmSignUpCommand({ UserPoolId: UserPoolId(), Username: email }));
    await forget();
    expect(local.reported).toHaveLength(1);
    await local.restart({ client: { preventUserExistenceErrors: "LEGACY" } });
    await expect(forget()).rejects.toMatchObject(
      refusedAs("InvalidParameterException", /no registered\/verified email/),
    );
  });
});

describe("users that an administrator creates", () => {
  const create = (more = {}) =>
    local.sdk.send(
      new AdminCreateUserCommand({
        UserPoolId: UserPoolId(),
        Username: email,
        UserAttributes: [{ Name: "email_verified", Value: "true" }],
        ...more,
      }),
    );

  test("get a temporary password by mail, and replace it at the first sign-in without PostConfirmation", async () => {
    await create();
    expect(local.reported).toEqual([`Mail to ${email}: Your temporary password`]);
    const challenge = await signIn(local.code(email));
    expect(challenge).toMatchObject({ ChallengeName: "NEW_PASSWORD_REQUIRED" });
    const answer = (NEW_PASSWORD: string, Session = challenge.Session!) =>
      local.sdk.send(
        new RespondToAuthChallengeCommand({
          ClientId: ClientId(),
          ChallengeName: "NEW_PASSWORD_REQUIRED",
          Session,
          ChallengeResponses: { USERNAME: email, NEW_PASSWORD },
        }),
      );
    await expect(answer("weak")).rejects.toMatchObject(refusedAs("InvalidPasswordException"));
    await expect(answer(password, "made.up.session")).rejects.toMatchObject(refusedAs("NotAuthorizedException"));
    expect((await answer(password)).AuthenticationResult?.AccessToken).toBeTruthy();
    await expect(answer(password)).rejects.toMatchObject(refusedAs("NotAuthorizedException"));
    expect(local.events.map((event) => event.triggerSource)).toEqual(["PostAuthentication_Authentication"]);
  });

  test("must use the temporary password within seven days", async () => {
    await create({ TemporaryPassword: "Temporary-1", MessageAction: "SUPPRESS" });
    expect(local.reported).toEqual([]);
    local.ahead = 7 * 24 * hour + 1;
    await expect(signIn("Temporary-1")).rejects.toMatchObject(refusedAs("NotAuthorizedException", /has expired/));
    const set = { UserPoolId: UserPoolId(), Username: email, Password: password, Permanent: true };
    await local.sdk.send(new AdminSetUserPasswordCommand(set));
    await signIn();
    expect((await adminGet()).UserStatus).toBe("CONFIRMED");
  });

  test("sign in through the administrator's flow only where the client allows it", async () => {
    const start = () =>
      local.sdk.send(
        new AdminInitiateAuthCommand({
          UserPoolId: UserPoolId(),
          ClientId: ClientId(),
          AuthFlow: "ADMIN_USER_PASSWORD_AUTH",
          AuthParameters: { USERNAME: email, PASSWORD: "Temporary-1" },
        }),
      );
    await create({ TemporaryPassword: "Temporary-1" });
    await expect(start()).rejects.toMatchObject(refusedAs("InvalidParameterException", /flow not enabled/));
    await local.restart({ client: { explicitAuthFlows: ["ALLOW_ADMIN_USER_PASSWORD_AUTH"] } });
    expect(await start()).toMatchObject({ ChallengeName: "NEW_PASSWORD_REQUIRED" });
  });
});

test("no password is printed or stored in a file", async () => {
  await signUp();
  await confirm();
  await signIn();
  const folder = join(local.directory, "cognito");
  const files = readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8"));
  expect(files.length).toBeGreaterThan(3);
  expect([...files, ...local.reported].join("\n")).not.toContain(password);
});
