using System.Collections.Concurrent;
using GrpcShm.Transport;

namespace GrpcShm.Client;

/// <summary>
/// The endpoints of the gRPC clients of one service provider whose own addresses name them. Any thread.
/// </summary>
internal sealed class ClientEndPoints
{
    private readonly ConcurrentDictionary<string, SharedMemoryEndPoint> _byClient = new(StringComparer.Ordinal);

    /// <summary>Chooses the address of a client's requests. Notes the endpoint if only the client names it.</summary>
    /// <param name="client">The client's name.</param>
    /// <param name="endPoint">The endpoint that the call of <c>UseSharedMemory</c> names, if it names one.</param>
    /// <param name="address">The client's own address, if it has one.</param>
    /// <returns>The address, whose host the server sees and both sides log.</returns>
    /// <exception cref="InvalidOperationException">
    /// No endpoint is named, or the two are different endpoints.
    /// </exception>
    public Uri Choose(string client, SharedMemoryEndPoint? endPoint, Uri? address)
    {
        string? problem = null;
        SharedMemoryEndPoint? own = null;
        var isOwn = address is not null
            && SharedMemoryEndPoint.TryParse(address.OriginalString, out own, out problem);
        if (endPoint is null)
        {
            own = isOwn ? own! : throw new InvalidOperationException(
                $"The gRPC client '{client}' has no shared-memory address. "
                + $"{problem ?? WrongAddress.RightForms} Set the client's Address, or call UseSharedMemory with one.");
            _byClient[client] = own;
            return SharedMemoryChannel.AddressOf(own);
        }

        if (!isOwn)
        {
            // Another host may be wanted, for the server to see.
            return address ?? SharedMemoryChannel.AddressOf(endPoint);
        }

        return endPoint.Equals(own) ? SharedMemoryChannel.AddressOf(endPoint) : throw new InvalidOperationException(
            $"The gRPC client '{client}' has two shared-memory addresses: its own is '{own}', and UseSharedMemory has "
            + $"'{endPoint}'. Name one of them, or the same one.");
    }

    /// <summary>Finds the endpoint that a client's own address names.</summary>
    /// <exception cref="InvalidOperationException">The client has no address, since it is no gRPC client.</exception>
    public SharedMemoryEndPoint Find(string client) =>
        _byClient.TryGetValue(client, out var endPoint) ? endPoint : throw new InvalidOperationException(
            $"The client '{client}' has no shared-memory address. Call UseSharedMemory with an address.");
}
