using Microsoft.AspNetCore.Authentication;

namespace Samples.BringYourOwnService.Server;

/// <summary>The key that callers have to show; from the configuration's <c>Authentication:ApiKey</c>.</summary>
internal sealed class ApiKeyOptions : AuthenticationSchemeOptions
{
    public string ApiKey { get; set; } = "";

    public override void Validate()
    {
        if (ApiKey.Length == 0)
        {
            throw new InvalidOperationException(
                "The configuration has no 'Authentication:ApiKey', without which nobody could call.");
        }
    }
}
