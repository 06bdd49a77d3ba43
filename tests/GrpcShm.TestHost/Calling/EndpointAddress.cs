using System.Globalization;
using GrpcShm.Transport;

namespace GrpcShm.TestHost.Calling;

/// <summary>The address of a server: <c>shm:NAME</c>, <c>uds:PATH</c> or <c>tcp:PORT</c>.</summary>
/// <param name="Kind">The transport.</param>
/// <param name="Value">The name, the path or the port.</param>
public sealed record EndpointAddress(EndpointKind Kind, string Value)
{
    /// <summary>The port of a <c>tcp</c> address.</summary>
    public int Port => int.Parse(Value, CultureInfo.InvariantCulture);

    /// <summary>Reads an address.</summary>
    /// <exception cref="FormatException"><paramref name="text"/> is no address.</exception>
    public static EndpointAddress Parse(string text)
    {
        var value = text[(text.IndexOf(':', StringComparison.Ordinal) + 1)..];
        return text.Split(':')[0] switch
        {
            "shm" => new EndpointAddress(EndpointKind.SharedMemory, new SharedMemoryEndPoint(text).Name),
            "uds" when Path.IsPathRooted(value) => new EndpointAddress(EndpointKind.UnixSocket, value),
            "tcp" when ushort.TryParse(value, CultureInfo.InvariantCulture, out _) =>
                new EndpointAddress(EndpointKind.Tcp, value),
            _ => throw new FormatException($"'{text}' is none of shm:NAME, uds:/PATH and tcp:PORT."),
        };
    }

    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        EndpointKind.SharedMemory => new SharedMemoryEndPoint(Value).ToString(),
        EndpointKind.UnixSocket => "uds:" + Value,
        _ => "tcp:" + Value,
    };
}
