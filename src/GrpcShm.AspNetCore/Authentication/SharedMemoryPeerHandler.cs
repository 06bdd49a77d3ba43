using System.Globalization;
using System.Security.Claims;
using System.Text.Encodings.Web;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Authentication;

/// <summary>Makes a user of the process at the other end of a shared-memory connection. Runs for each call.</summary>
internal sealed class SharedMemoryPeerHandler(
    IOptionsMonitor<SharedMemoryPeerOptions> options, ILoggerFactory loggers, UrlEncoder encoder, PeerUserNames names)
    : AuthenticationHandler<SharedMemoryPeerOptions>(options, loggers, encoder)
{
    private static readonly Task<AuthenticateResult> AnotherTransport = Task.FromResult(AuthenticateResult.NoResult());

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Context.Features.Get<ISharedMemoryConnectionFeature>() is not { } connection)
        {
            return AnotherTransport;
        }

        string? name = null;
        return !Options.LookUpUserName || names.TryGet(connection, out name)
            ? Task.FromResult(Succeed(connection.Peer, name))
            : LookUpAsync(connection);
    }

    private async Task<AuthenticateResult> LookUpAsync(ISharedMemoryConnectionFeature connection)
    {
        var name = await names
            .WaitForAsync(connection, Options.UserNameTimeout, TimeProvider, Context.RequestAborted)
            .ConfigureAwait(false);
        return Succeed(connection.Peer, name);
    }

    // Each call has an identity of its own. The application may change it, as claims transformations do. No other call
    // of the connection must get, for example, a role that was given to this call.
    private AuthenticateResult Succeed(SharedMemoryPeer peer, string? name)
    {
        var identity = new ClaimsIdentity(
            SharedMemoryPeerDefaults.AuthenticationType, SharedMemoryPeerClaimTypes.UserName, ClaimTypes.Role);
        Add(identity, SharedMemoryPeerClaimTypes.UserId, peer.User.Id);
        if (name is not null)
        {
            Add(identity, SharedMemoryPeerClaimTypes.UserName, name);
        }

        if (peer.GroupId is { } group)
        {
            Add(identity, SharedMemoryPeerClaimTypes.GroupId, group);
        }

        if (peer.ProcessId != 0)
        {
            Add(
                identity,
                SharedMemoryPeerClaimTypes.ProcessId,
                peer.ProcessId.ToString(CultureInfo.InvariantCulture));
        }

        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name));
    }

    private void Add(ClaimsIdentity identity, string type, string value) =>
        identity.AddClaim(new Claim(type, value, ClaimValueTypes.String, ClaimsIssuer));
}
