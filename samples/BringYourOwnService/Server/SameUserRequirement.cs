using Microsoft.AspNetCore.Authorization;

namespace Samples.BringYourOwnService.Server;

/// <summary>The caller's process has to run as this user, by the word of the operating system.</summary>
internal sealed class SameUserRequirement : IAuthorizationRequirement
{
    public const string PolicyName = "same user";
}
