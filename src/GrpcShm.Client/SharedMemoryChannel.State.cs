using Grpc.Core;
using GrpcShm.Client.Direct;
using GrpcShm.Client.Http2;
using GrpcShm.Client.Native;

namespace GrpcShm.Client;

/// <summary>The state of a channel.</summary>
public sealed partial class SharedMemoryChannel
{
    // For a channel that makes its calls over HTTP/2 alone, without TLS.
    private readonly Http2Route? _route;

    /// <summary>The state of the channel, which follows its connections to the server.</summary>
    /// <value>
    /// <see cref="ConnectivityState.Idle"/>: there is no connection, since none was needed yet, or it was closed or
    /// lost. <see cref="ConnectivityState.Connecting"/>: one is being made.
    /// <see cref="ConnectivityState.Ready"/>: there is one. <see cref="ConnectivityState.TransientFailure"/>: the
    /// last attempt has failed; the next call, or a call that waits for the server, makes another one.
    /// <see cref="ConnectivityState.Shutdown"/>: the channel has been disposed.
    /// </value>
    /// <exception cref="InvalidOperationException">
    /// The address has <c>https</c>: .NET's HTTP handler makes these connections.
    /// </exception>
    public ConnectivityState State => GetConnectivity().State;

    /// <summary>Connects, so that the first call need not wait for that.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>
    /// A task that completes when there is a connection. While no server listens, it waits for one.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The channel has been disposed.</exception>
    /// <exception cref="HttpRequestException">The server refuses the connection.</exception>
    /// <exception cref="InvalidOperationException">
    /// The address has <c>https</c>: .NET's HTTP handler makes these connections.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> has fired.</exception>
    public Task ConnectAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _native is not null ? _native.Connections.ConnectAsync(new ConnectRequest(cancellationToken))
            : _route is not null ? _route.ConnectAsync(cancellationToken)
            : throw StateIsUnknown();
    }

    /// <summary>Waits until the state of the channel changes.</summary>
    /// <param name="lastObservedState">The state that the caller knows of.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>
    /// A task that completes when <see cref="State"/> is another one. It also completes if the state changes and is the
    /// same again afterwards. After <see cref="ConnectivityState.Shutdown"/> no other state comes: a wait for one ends
    /// with its token alone.
    /// </returns>
    /// <exception cref="InvalidOperationException">
    /// The address has <c>https</c>: .NET's HTTP handler makes these connections.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> has fired.</exception>
    public Task WaitForStateChangedAsync(
        ConnectivityState lastObservedState, CancellationToken cancellationToken = default) =>
        GetConnectivity().WaitForChangeAsync(lastObservedState, cancellationToken);

    private static InvalidOperationException StateIsUnknown() => new(
        "The address of the channel has https, and .NET's HTTP handler makes connections with TLS by itself, so their "
        + "state is not known. Make the channel with an address without https, or make a call to see whether the "
        + "server answers.");

    private ChannelConnectivity GetConnectivity() => FindConnectivity() ?? throw StateIsUnknown();

    private ChannelConnectivity? FindConnectivity() => _native?.Connections.Connectivity ?? _route?.Connectivity;
}
