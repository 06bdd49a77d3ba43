using System.Diagnostics.CodeAnalysis;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Grpc.Core;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>Authentication for tests: who calls is who a header says. So two users may share a process.</summary>
[SuppressMessage("Performance", "CA1812", Justification = "Made by dependency injection.")]
internal sealed class UserHeader(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    /// <summary>The name of users who are authenticated and have none.</summary>
    public const string Nameless = "nameless";

    private const string HeaderName = "test-user";

    /// <summary>The header of a user's calls.</summary>
    public static Metadata For(string user) => new() { { HeaderName, user } };

    public static void AddTo(WebApplicationBuilder builder) => builder.Services
        .AddAuthentication(HeaderName)
        .AddScheme<AuthenticationSchemeOptions, UserHeader>(HeaderName, null);

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var user = Request.Headers[HeaderName].ToString();
        if (user.Length == 0)
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        var identity = new ClaimsIdentity(
            user == Nameless ? [] : [new Claim(ClaimTypes.NameIdentifier, user)],
            HeaderName,
            ClaimTypes.NameIdentifier,
            ClaimTypes.Role);
        return Task.FromResult(
            AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), HeaderName)));
    }
}
