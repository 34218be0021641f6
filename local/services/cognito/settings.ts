import { provisioningError, type ResourceRegistration } from "../../../host/resources";

/** A user pool as the program describes it, with Cognito's defaults filled in. */
export interface PoolSettings {
  readonly name: string;
  readonly usernameAttributes: readonly string[];
  readonly caseSensitive: boolean;
  readonly autoVerified: readonly string[];
  readonly passwords: PasswordPolicy;
  readonly schema: Readonly<Record<string, AttributeRule>>;
  readonly mail: { readonly subject: string; readonly message: string };
  readonly invitation: { readonly subject: string; readonly message: string };
  /** Only administrators may sign people up. */
  readonly adminCreateOnly: boolean;
  /** People may reset a forgotten password by a code to their verified address. */
  readonly selfRecovery: boolean;
  /** ARNs of the functions that Cognito calls. */
  readonly triggers: { readonly postConfirmation?: string; readonly postAuthentication?: string };
}

export interface PasswordPolicy {
  readonly minimumLength: number;
  readonly requireLowercase: boolean;
  readonly requireUppercase: boolean;
  readonly requireNumbers: boolean;
  readonly requireSymbols: boolean;
  readonly temporaryPasswordValidityDays: number;
}

export interface AttributeRule {
  readonly required: boolean;
  readonly mutable: boolean;
  readonly minLength: number;
  readonly maxLength: number;
}

type Inputs = Readonly<Record<string, unknown>>;

/** The attributes that every pool has. Length limits are Cognito's. */
const standardAttributes =
  "address birthdate email email_verified family_name gender given_name locale middle_name name nickname phone_number " +
  "phone_number_verified picture preferred_username profile sub updated_at website zoneinfo";

/** Settings that change what people see and that this machine does not simulate: they are refused, not ignored. */
const notSimulated: Readonly<Record<string, (value: unknown) => boolean>> = {
  aliasAttributes: (value) => list(value).length > 0,
  mfaConfiguration: (value) => value !== "OFF",
  signInPolicy: (value) => list(record(value).allowedFirstAuthFactors).some((factor) => factor !== "PASSWORD"),
  deviceConfiguration: () => true,
  userPoolAddOns: (value) => record(value).advancedSecurityMode !== "OFF",
};

/**
 * Reads the inputs of an `aws.cognito.UserPool`.
 * @throws CommandError that names each setting that this machine does not simulate, or that Cognito refuses.
 * @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPool.html
 */
export function poolSettings(resource: ResourceRegistration): PoolSettings {
  const { name, inputs } = resource;
  const lambda = record(inputs.lambdaConfig);
  const unsupported = [
    ...Object.entries(notSimulated)
      .filter(([key, isUsed]) => inputs[key] !== undefined && isUsed(inputs[key]))
      .map(([key]) => key),
    ...Object.keys(lambda)
      .filter((key) => key !== "postConfirmation" && key !== "postAuthentication" && lambda[key] !== undefined)
      .map((key) => `lambdaConfig.${key}`),
    ...(record(inputs.verificationMessageTemplate).defaultEmailOption === "CONFIRM_WITH_LINK"
      ? ["verificationMessageTemplate.defaultEmailOption CONFIRM_WITH_LINK"]
      : []),
    ...(list(inputs.usernameAttributes).includes("phone_number") ? ["usernameAttributes phone_number"] : []),
  ];
  if (unsupported.length > 0) {
    const what = unsupported.join(", ");
    throw provisioningError(resource, `this machine does not simulate ${what}. Leave it out of this stack's program.`);
  }
  const adminCreate = record(inputs.adminCreateUserConfig);
  const recovery = list(record(inputs.accountRecoverySetting).recoveryMechanisms).map((entry) => record(entry).name);
  return {
    name: string(inputs.name) ?? name,
    usernameAttributes: list(inputs.usernameAttributes).map(String),
    caseSensitive: record(inputs.usernameConfiguration).caseSensitive !== false,
    autoVerified: list(inputs.autoVerifiedAttributes).map(String),
    passwords: passwordPolicy(record(inputs.passwordPolicy)),
    schema: schemaOf(list(inputs.schemas).map(record)),
    mail: verificationMail(resource),
    invitation: invitationMail(record(adminCreate.inviteMessageTemplate)),
    adminCreateOnly: adminCreate.allowAdminCreateUserOnly === true,
    selfRecovery: recovery.length === 0 || recovery.includes("verified_email"),
    triggers: {
      postConfirmation: string(lambda.postConfirmation),
      postAuthentication: string(lambda.postAuthentication),
    },
  };
}

function passwordPolicy(policy: Inputs): PasswordPolicy {
  // Without a policy Cognito requires all kinds of characters; in a policy, a kind that is missing is not required.
  const isRequired = (key: string) => (Object.keys(policy).length === 0 ? true : policy[key] === true);
  return {
    minimumLength: number(policy.minimumLength) ?? 8,
    requireLowercase: isRequired("requireLowercase"),
    requireUppercase: isRequired("requireUppercase"),
    requireNumbers: isRequired("requireNumbers"),
    requireSymbols: isRequired("requireSymbols"),
    temporaryPasswordValidityDays: number(policy.temporaryPasswordValidityDays) ?? 7,
  };
}

function schemaOf(schemas: readonly Inputs[]): Record<string, AttributeRule> {
  const standard = standardAttributes.split(" ");
  const rules: Record<string, AttributeRule> = Object.create(null);
  for (const name of standard)
    rules[name] = { required: false, mutable: name !== "sub", minLength: 0, maxLength: 2048 };
  for (const schema of schemas) {
    const name = String(schema.name);
    const lengths = record(schema.stringAttributeConstraints);
    rules[standard.includes(name) || name.includes(":") ? name : `custom:${name}`] = {
      required: schema.required === true,
      mutable: schema.mutable !== false,
      minLength: number(lengths.minLength) ?? 0,
      maxLength: number(lengths.maxLength) ?? 2048,
    };
  }
  return rules;
}

function verificationMail(resource: ResourceRegistration): PoolSettings["mail"] {
  const { inputs } = resource;
  const template = record(inputs.verificationMessageTemplate);
  const message =
    string(template.emailMessage) ?? string(inputs.emailVerificationMessage) ?? "Your confirmation code is {####}";
  // Cognito checks the text against a pattern (API reference, VerificationMessageTemplateType).
  if (!message.includes("{####}")) {
    throw provisioningError(resource, `the confirmation mail's text lacks {####}, where Cognito puts the code.`);
  }
  const subject = string(template.emailSubject) ?? string(inputs.emailVerificationSubject) ?? "Your verification code";
  return { subject, message };
}

function invitationMail(template: Inputs): PoolSettings["invitation"] {
  return {
    subject: string(template.emailSubject) ?? "Your temporary password",
    message: string(template.emailMessage) ?? "Your username is {username} and temporary password is {####}.",
  };
}

/** An object of inputs; empty if there is none. */
export function record(value: unknown): Inputs {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Inputs) : {};
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function string(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Numbers also arrive as strings (`stringAttributeConstraints`). */
export function number(value: unknown): number | undefined {
  const given = typeof value === "string" ? Number(value) : value;
  return typeof given === "number" && Number.isFinite(given) ? given : undefined;
}
