using System.Security.Authentication;
using GrpcShm.Transport;

namespace GrpcShm.Client.Http2;

/// <summary>
/// Refuses a server that answers TLS with something else, before TLS takes its first bytes for damaged ones.
/// </summary>
internal static class TlsAnswer
{
    // The first byte of a TLS record says what the record holds (RFC 8446, 5.1): from a change of the cipher to data.
    private const byte FirstRecord = 20;
    private const byte LastRecord = 23;

    /// <summary>Checks the first bytes that a server sends.</summary>
    /// <param name="answer">The bytes; none if the server has sent none.</param>
    /// <param name="endPoint">The server's endpoint.</param>
    /// <exception cref="AuthenticationException">
    /// The server has no TLS. Over a socket the failure has the same type, and so gRPC's status is the same.
    /// </exception>
    public static void Check(ReadOnlySpan<byte> answer, SharedMemoryEndPoint endPoint)
    {
        if (answer is [not (>= FirstRecord and <= LastRecord), ..])
        {
            throw new AuthenticationException(
                $"The endpoint '{endPoint}' has no TLS, and the address of the request asks for TLS by its 'https'. "
                + $"Write the address with 'http', or as '{endPoint}'; or give TLS to the endpoint, by UseHttps in "
                + "ListenSharedMemory.");
        }
    }
}
