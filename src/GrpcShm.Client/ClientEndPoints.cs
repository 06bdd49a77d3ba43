using System.Collections.Concurrent;
using GrpcShm.Transport;

namespace GrpcShm.Client;

/// <summary>
/// The endpoints and addresses of the clients of one service provider. Any thread.
/// </summary>
internal sealed class ClientEndPoints
{
    private readonly ConcurrentDictionary<string, Choice> _byClient = new(StringComparer.Ordinal);

    /// <summary>Chooses the address of a client's requests. Notes the endpoint, and the address.</summary>
    /// <param name="client">The client's name.</param>
    /// <param name="endPoint">The endpoint that the call of <c>UseSharedMemory</c> names, if it names one.</param>
    /// <param name="isSecure">True if that call names it with <c>https</c>.</param>
    /// <param name="address">The client's own address, if it has one.</param>
    /// <returns>The address, whose host the server sees and both sides log. It has TLS if one of the two has.</returns>
    /// <exception cref="InvalidOperationException">
    /// No endpoint is named, or the two are different endpoints.
    /// </exception>
    public Uri Choose(string client, SharedMemoryEndPoint? endPoint, bool isSecure, Uri? address)
    {
        string? problem = null;
        SharedMemoryEndPoint? own = null;
        var isOwn = address is not null
            && SharedMemoryEndPoint.TryParse(address.OriginalString, out own, out problem);
        isSecure |= isOwn && SharedMemoryChannel.IsSecure(address!.OriginalString);
        if (endPoint is null)
        {
            if (!isOwn && _byClient.TryGetValue(client, out var earlier) && earlier.Address == address)
            {
                // An earlier call of UseSharedMemory for the same client has chosen this address.
                return earlier.Address;
            }

            endPoint = isOwn ? own! : throw new InvalidOperationException(
                $"The gRPC client '{client}' has no shared-memory address. "
                + $"{problem ?? WrongAddress.RightForms} Set the client's Address, or call UseSharedMemory with one.");
        }
        else if (isOwn && !endPoint.Equals(own))
        {
            throw new InvalidOperationException(
                $"The gRPC client '{client}' has two shared-memory addresses: its own is '{own}', and UseSharedMemory "
                + $"has '{endPoint}'. Name one of them, or the same one.");
        }

        // An own address that names no endpoint stays: another host may be wanted, for the server to see.
        var chosen = address is null || isOwn ? SharedMemoryChannel.AddressOf(endPoint, isSecure) : address;
        _byClient[client] = new Choice(endPoint, chosen);
        return chosen;
    }

    /// <summary>Finds the endpoint of a client for which no call of <c>UseSharedMemory</c> names it.</summary>
    /// <exception cref="InvalidOperationException">The client has no address, since it is no gRPC client.</exception>
    public SharedMemoryEndPoint Find(string client) =>
        _byClient.TryGetValue(client, out var choice) ? choice.EndPoint : throw new InvalidOperationException(
            $"The client '{client}' has no shared-memory address. Call UseSharedMemory with an address.");

    private sealed record Choice(SharedMemoryEndPoint EndPoint, Uri Address);
}
