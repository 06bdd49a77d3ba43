using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace GrpcShm.Transport;

/// <summary>
/// The address of a shared-memory endpoint: a name that the processes of one user share, or the absolute path of a
/// rendezvous socket, which lets two containers meet on a common volume.
/// </summary>
/// <remarks>
/// Written <c>shm:name</c> and <c>shm:///absolute/path.sock</c>. How a name becomes a file is specified in
/// <c>docs/why/protocol.md</c>, "Names". A server shows its address as the URI <c>http://shm:/name</c> or
/// <c>http://shm:///absolute/path.sock</c>. These URIs can be read, too, with <c>http://</c> or without it: behind
/// <c>shm:</c> one slash is always followed by a name, and three slashes by a path.
/// </remarks>
public sealed class SharedMemoryEndPoint : EndPoint
{
    /// <summary>How many characters a name may have at most.</summary>
    public const int MaxNameLength = 64;

    private const string Scheme = "shm:";
    private const string PathScheme = "shm://";

    // Kestrel writes these before an endpoint to show it: see InAddress.
    private static readonly string[] AddressPrefixes = ["http://shm", "https://shm"];

    // The endpoint that this one shows in an address; nothing if this one shows itself.
    private readonly SharedMemoryEndPoint? _shown;

    /// <summary>Creates the address of an endpoint.</summary>
    /// <param name="nameOrPath">
    /// A name (1 to 64 characters out of <c>A–Z a–z 0–9 . _ -</c>, not starting with a dot), an absolute path,
    /// either of them with its scheme, <c>shm:name</c> or <c>shm:///path</c>, or as a server shows it,
    /// <c>http://shm:/name</c> or <c>http://shm:///path</c>, of which <c>http://</c> may be left out.
    /// </param>
    /// <exception cref="ArgumentException"><paramref name="nameOrPath"/> is neither.</exception>
    public SharedMemoryEndPoint(string nameOrPath)
    {
        ArgumentNullException.ThrowIfNull(nameOrPath);
        Name = Normalize(nameOrPath, out var error) ?? throw new ArgumentException(error, nameof(nameOrPath));
    }

    private SharedMemoryEndPoint(SharedMemoryEndPoint endPoint)
    {
        Name = endPoint.Name;
        _shown = endPoint.Plain;
    }

    /// <summary>The name, or the absolute path of the rendezvous socket.</summary>
    public string Name { get; }

    /// <summary>Whether <see cref="Name"/> is an absolute path.</summary>
    public bool IsPath => Name.StartsWith('/');

    /// <inheritdoc/>
    /// <remarks>
    /// <see cref="AddressFamily.Unix"/>, the family of endpoints within one machine. Metrics tag connections with the
    /// family. Kestrel's own transports look at the type of an endpoint, and so do not take this endpoint for theirs.
    /// </remarks>
    public override AddressFamily AddressFamily => AddressFamily.Unix;

    /// <summary>
    /// The endpoint as messages name it: the one of which <see cref="InAddress"/> has made this one, or this one.
    /// </summary>
    internal SharedMemoryEndPoint Plain => _shown ?? this;

    /// <summary>Reads an address.</summary>
    /// <param name="address"><c>name</c>, <c>shm:name</c>, <c>/path</c> or <c>shm:///path</c>.</param>
    /// <param name="endPoint">The endpoint, if <paramref name="address"/> is well formed.</param>
    /// <returns>Whether <paramref name="address"/> is well formed.</returns>
    public static bool TryParse(
        [NotNullWhen(true)] string? address, [NotNullWhen(true)] out SharedMemoryEndPoint? endPoint)
    {
        endPoint =
            address is not null && Normalize(address, out _) is not null ? new SharedMemoryEndPoint(address) : null;
        return endPoint is not null;
    }

    /// <summary>Reads an address.</summary>
    /// <param name="address">The text.</param>
    /// <param name="endPoint">The endpoint, if <paramref name="address"/> is well formed.</param>
    /// <param name="problem">What is wrong if it is not, and what to write.</param>
    internal static bool TryParse(
        string address,
        [NotNullWhen(true)] out SharedMemoryEndPoint? endPoint,
        [NotNullWhen(false)] out string? problem)
    {
        endPoint = Normalize(address, out problem) is null ? null : new SharedMemoryEndPoint(address);
        return endPoint is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => (IsPath ? PathScheme : _shown is null ? Scheme : Scheme + "/") + Name;

    /// <inheritdoc/>
    public override bool Equals(object? obj) =>
        obj is SharedMemoryEndPoint other && string.Equals(Name, other.Name, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Name);

    /// <summary>
    /// The same endpoint as Kestrel needs it. Kestrel shows an endpoint as <c>http://</c> and the endpoint's text. Only
    /// a port may follow the colon behind the host of a URI, so <c>http://shm:name</c> would be no URI.
    /// </summary>
    internal SharedMemoryEndPoint InAddress() => new(this);

    private static string? Normalize(string text, out string? error)
    {
        var name = text;
        if (TryReadAddress(text, out var shown))
        {
            name = shown;
        }
        else if (text.StartsWith(PathScheme, StringComparison.OrdinalIgnoreCase))
        {
            name = text[PathScheme.Length..];
            if (!name.StartsWith('/'))
            {
                error = WrongAddress.Describe(text);
                return null;
            }
        }
        else if (text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            // One slash is that of 'http://shm:/name', and never the beginning of a path, which has three.
            name = text[Scheme.Length..];
            name = name.StartsWith('/') ? name[1..] : name;
        }

        error = name.StartsWith('/') ? CheckPath(name, text) : CheckName(name, text);
        return error is null ? name : null;
    }

    /// <summary>
    /// Reads the text that <see cref="InAddress"/> writes, also if a <see cref="Uri"/> has dropped the colon from it,
    /// since no port follows.
    /// </summary>
    private static bool TryReadAddress(string text, out string name)
    {
        foreach (var prefix in AddressPrefixes)
        {
            if (text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                var rest = text[prefix.Length..];
                rest = rest.StartsWith(':') ? rest[1..] : rest;
                if (rest.StartsWith("///", StringComparison.Ordinal))
                {
                    name = rest[2..];
                    return true;
                }

                if (rest.StartsWith('/'))
                {
                    name = rest[1..];
                    return !name.StartsWith('/');
                }
            }
        }

        name = text;
        return false;
    }

    private static string? CheckPath(string path, string text)
    {
        if (path.EndsWith('/') || path.Contains('\0', StringComparison.Ordinal))
        {
            return WrongAddress.Describe(text);
        }

        // The system limits the length of a path further: the rendezvous checks that.
        return Encoding.UTF8.GetByteCount(path) > 4096 ? $"The path of the shared-memory address is too long." : null;
    }

    private static string? CheckName(string name, string text)
    {
        var wellFormed = name.Length is > 0 and <= MaxNameLength && name[0] != '.';
        foreach (var c in name)
        {
            wellFormed &= char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-';
        }

        return wellFormed ? null : WrongAddress.Describe(text);
    }
}
