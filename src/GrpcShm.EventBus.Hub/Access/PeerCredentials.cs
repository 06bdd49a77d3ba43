using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Claims;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.EventBus.Access;

/// <summary>
/// Finds the user at the other end of a Unix socket, as Linux knows it. The shared-memory transport does so itself,
/// with the same claims.
/// </summary>
internal static class PeerCredentials
{
    /// <summary>The type of the claim that holds the process's id.</summary>
    public const string ProcessClaim = "pid";

    private const string GroupClaim = "gid";
    private const string AuthenticationType = "PeerCredentials";

    // SOL_SOCKET and SO_PEERCRED.
    private const int SocketLevel = 1;
    private const int PeerCredentialsOption = 17;

    /// <summary>Finds the user; none for another kind of socket, and where the system does not know it.</summary>
    public static ClaimsPrincipal? Of(IFeatureCollection features)
    {
        if (!OperatingSystem.IsLinux()
            || features.Get<IConnectionSocketFeature>()?.Socket is not { AddressFamily: AddressFamily.Unix } socket)
        {
            return null;
        }

        // struct ucred: pid, uid, gid.
        Span<uint> credentials = stackalloc uint[3];
        try
        {
            socket.GetRawSocketOption(SocketLevel, PeerCredentialsOption, MemoryMarshal.AsBytes(credentials));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The connection has ended meanwhile: there is no user to find.
            return null;
        }

        return new ClaimsPrincipal(new ClaimsIdentity(
            [
                new Claim(ClaimTypes.NameIdentifier, Text(credentials[1])),
                new Claim(GroupClaim, Text(credentials[2])),
                new Claim(ProcessClaim, Text(credentials[0])),
            ],
            AuthenticationType,
            ClaimTypes.NameIdentifier,
            ClaimTypes.Role));
    }

    private static string Text(uint number) => number.ToString(CultureInfo.InvariantCulture);
}
