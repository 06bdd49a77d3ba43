using Microsoft.AspNetCore.Authentication;

namespace Samples.BringYourOwnService.Server;

/// <summary>The key that callers must send, from <c>Authentication:ApiKey</c> of the configuration.</summary>
internal sealed class ApiKeyOptions : AuthenticationSchemeOptions
{
    public string ApiKey { get; set; } = "";

    public override void Validate()
    {
        if (ApiKey.Length == 0)
        {
            throw new InvalidOperationException(
                "The configuration has no 'Authentication:ApiKey'. Set it, or no client can call.");
        }
    }
}
