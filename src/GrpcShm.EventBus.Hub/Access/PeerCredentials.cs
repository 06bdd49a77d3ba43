using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Claims;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.EventBus.Access;

/// <summary>
/// Who is at the other end of a Unix socket, as Linux says. The shared-memory transport says it by itself, in the same
/// words.
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

    /// <summary>The user; none for another kind of socket, and where the system does not say.</summary>
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
            // The connection has ended meanwhile: nobody is there to be known.
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
