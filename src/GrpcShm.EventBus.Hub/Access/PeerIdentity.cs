using System.Globalization;
using System.Security.Claims;
using Grpc.Core;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.EventBus.Access;

/// <summary>
/// The identity of a caller, as the server has authenticated it or the operating system knows it. No part of it is a
/// claim of the caller.
/// </summary>
internal sealed class PeerIdentity
{
    private static readonly ClaimsPrincipal Unknown = new(new ClaimsIdentity());

    private PeerIdentity(ClaimsPrincipal user, string userId, int processId, string connectionId) =>
        (User, UserId, ProcessId, ConnectionId) = (user, userId, processId, connectionId);

    /// <summary>The hub's own process. No caller has this identity.</summary>
    public static PeerIdentity Hub { get; } = new(Unknown, "", 0, "");

    /// <summary>The user that the server's authentication knows, or else the user that the transport knows.</summary>
    public ClaimsPrincipal User { get; }

    /// <summary>The user in one word, after the authentication type; empty where the user is not known.</summary>
    public string UserId { get; }

    /// <summary>The process, where the transport knows it; else zero.</summary>
    public int ProcessId { get; }

    public string ConnectionId { get; }

    public static PeerIdentity Of(ServerCallContext call) => Of(call.GetHttpContext());

    public static PeerIdentity Of(HttpContext context)
    {
        var connected = context.Features.Get<IConnectionUserFeature>()?.User ?? PeerCredentials.Of(context.Features);
        var process = connected?.FindFirst(PeerCredentials.ProcessClaim)?.Value;
        var user = context.User.Identity is { IsAuthenticated: true } ? context.User : connected ?? Unknown;
        return new PeerIdentity(
            user,
            Name(user, context),
            int.TryParse(process, NumberStyles.None, CultureInfo.InvariantCulture, out var processId) ? processId : 0,
            context.Connection.Id);
    }

    public bool IsSameUserAs(PeerIdentity other) => string.Equals(UserId, other.UserId, StringComparison.Ordinal);

    /// <summary>True if the two are known to be the same process.</summary>
    public bool IsSameProcessAs(PeerIdentity other) => IsSameUserAs(other)
        && ProcessId == other.ProcessId
        && (ProcessId != 0 || (ConnectionId.Length > 0 && ConnectionId == other.ConnectionId));

    /// <summary>True if the two are known to be different processes.</summary>
    public bool IsOtherProcessThan(PeerIdentity other) =>
        !IsSameUserAs(other) || (ProcessId != 0 && other.ProcessId != 0 && ProcessId != other.ProcessId);

    private static string Name(ClaimsPrincipal user, HttpContext context)
    {
        if (user.Identity is not { IsAuthenticated: true } identity)
        {
            return "";
        }

        // Users without a name must not be mistaken for one another: each is named by its connection.
        var id = user.FindFirst(ClaimTypes.NameIdentifier) ?? user.FindFirst("sub");
        var name = string.IsNullOrEmpty(id?.Value) ? identity.Name : id.Value;
        return $"{identity.AuthenticationType}:{(string.IsNullOrEmpty(name) ? context.Connection.Id : name)}";
    }
}
