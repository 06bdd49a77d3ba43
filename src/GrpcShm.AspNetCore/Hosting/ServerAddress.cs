using GrpcShm.Transport;

namespace GrpcShm.AspNetCore.Hosting;

/// <summary>
/// An address that a server is told to listen on, by <c>--urls</c> and the like or by Kestrel's own section of the
/// configuration, and that means a shared-memory endpoint.
/// </summary>
/// <param name="EndPoint">The endpoint.</param>
/// <param name="IsTls">
/// Whether it has TLS, which <c>https://shm:/name</c> asks for and <c>http://shm:/name</c> rules out;
/// <see langword="null"/> for <c>shm:name</c>, which has none unless code sets it up for the endpoint.
/// </param>
/// <param name="Place">The address and where it was found, for messages.</param>
internal sealed record ServerAddress(SharedMemoryEndPoint EndPoint, bool? IsTls, string Place)
{
    private const string Scheme = "shm:";
    private const string Host = "shm";

    // A server logs its endpoint with one of these: see SharedMemoryEndPoint.InAddress.
    private static readonly string[] ShownSchemes = ["http://", "https://"];

    /// <summary>
    /// True if an address means shared memory, well-formed or not. To Kestrel <c>shm</c> is the name of a machine: it
    /// would listen for <c>http://shm:5000</c> on that TCP port, on all networks.
    /// </summary>
    public static bool IsMeant(string address) =>
        address.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        || (AfterShownScheme(address) is { } rest
            && rest.StartsWith(Host, StringComparison.OrdinalIgnoreCase)
            && (rest.Length == Host.Length || rest[Host.Length] is ':' or '/' or '?' or '#'));

    /// <summary>Reads an address.</summary>
    /// <param name="address">The address.</param>
    /// <param name="origin">The place where the address was found, for messages.</param>
    /// <returns>The endpoint; nothing if the address means another transport.</returns>
    /// <exception cref="InvalidOperationException">The address means shared memory and is not well formed.</exception>
    public static ServerAddress? Read(string address, string origin)
    {
        address = address.Trim();
        if (!IsMeant(address))
        {
            return null;
        }

        // An endpoint is read from 'http://shm/name', too, since a Uri writes it so. Here it may as well be TCP port 80
        // of the machine 'shm'.
        var isAmbiguous = AfterShownScheme(address) is { } rest
            && !rest.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase);
        bool? isTls = AfterShownScheme(address) is null
            ? null
            : address.StartsWith("https", StringComparison.OrdinalIgnoreCase);
        return !isAmbiguous && SharedMemoryEndPoint.TryParse(address, out var endPoint)
            ? new ServerAddress(endPoint, isTls, $"'{address}' ({origin})")
            : throw new InvalidOperationException(Explain(address, origin));
    }

    private static string? AfterShownScheme(string address)
    {
        foreach (var scheme in ShownSchemes)
        {
            if (address.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
            {
                return address[scheme.Length..];
            }
        }

        return null;
    }

    private static string Explain(string address, string origin)
    {
        var rest = AfterShownScheme(address) ?? address;
        rest = rest[Host.Length..].Trim(':', '/');
        var name = SharedMemoryEndPoint.TryParse(rest, out var endPoint) && !endPoint.IsPath ? rest : "orders";
        var port = ushort.TryParse(rest, out var number) ? $"{number}" : "5000";
        return $"The address '{address}' ({origin}) is no address of a shared-memory endpoint. For the endpoint "
            + $"'{name}' write 'shm:{name}' or 'http://shm:/{name}', for the path of a socket "
            + $"'shm:///absolute/{name}.sock' or 'http://shm:///absolute/{name}.sock'. For a TCP port write another "
            + $"host than '{Host}', as in 'http://*:{port}'.";
    }
}
