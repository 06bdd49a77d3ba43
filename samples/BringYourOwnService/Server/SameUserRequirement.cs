using Microsoft.AspNetCore.Authorization;

namespace Samples.BringYourOwnService.Server;

/// <summary>The caller's process must run as this user, as the operating system reports it.</summary>
internal sealed class SameUserRequirement : IAuthorizationRequirement
{
    public const string PolicyName = "same user";
}
