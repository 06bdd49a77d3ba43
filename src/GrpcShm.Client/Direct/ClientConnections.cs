using GrpcShm.Client.Diagnostics;
using GrpcShm.Transport.Rendezvous;

namespace GrpcShm.Client.Direct;

/// <summary>
/// Sends the calls of a channel in direct mode on its connections: on one, which is made when it is needed, and on more
/// when each has as many calls as the server takes. If the server has no direct mode, requests go over HTTP/2 until the
/// last HTTP/2 connection is gone; then the server is asked again.
/// </summary>
/// <remarks>
/// The connections and the attempt to make one belong to a <see cref="ConnectionTable{T}"/>, the calls that wait for
/// room to a <see cref="RoomQueue"/>. Here is how a call finds its connection, and how connections are made.
/// </remarks>
internal sealed partial class ClientConnections : IDisposable
{
    // The attempts in vain that a call makes: each is a connection that had to be made, or one that did not take it.
    private const int MaxFailures = 32;

    private readonly ConnectionTable<DirectConnection> _table;
    private readonly RoomQueue _queue = new();
    private readonly SharedMemoryConnector _connector;
    private readonly IByteRoute? _byteRoute;
    private readonly Func<DirectConnection[], bool> _isMoreThanRoom;

    /// <param name="connector">Makes the connections.</param>
    /// <param name="byteRoute">The way for calls to a server that has no direct mode, if HTTP/2 is allowed.</param>
    /// <param name="failures">Makes the exceptions that callers get.</param>
    /// <param name="options">How to connect.</param>
    /// <param name="diagnostics">Measures connections and requests.</param>
    /// <param name="connectivity">Is told of connections and of attempts to make one.</param>
    public ClientConnections(
        SharedMemoryConnector connector,
        IByteRoute? byteRoute,
        ICallFailures failures,
        SharedMemoryClientOptions options,
        ClientDiagnostics diagnostics,
        ChannelConnectivity connectivity)
    {
        _table = new ConnectionTable<DirectConnection>(connectivity);
        _connector = connector;
        _byteRoute = byteRoute;
        _isMoreThanRoom = IsMoreThanRoom;
        Failures = failures;
        Options = options;
        Diagnostics = diagnostics;
        Connectivity = connectivity;
    }

    public ICallFailures Failures { get; }

    public SharedMemoryClientOptions Options { get; }

    public ClientDiagnostics Diagnostics { get; }

    /// <summary>The state of the channel.</summary>
    public ChannelConnectivity Connectivity { get; }

    /// <summary>True if there is a connection for calls.</summary>
    public bool HasConnection => _table.Live.Length > 0;

    /// <summary>True if the server has no direct mode, and there is an HTTP/2 connection to it.</summary>
    public bool IsOverHttp2 => _byteRoute is { IsLive: true };

    /// <summary>Sends a call on a connection that exists and has room.</summary>
    public SendResult TrySend(IPendingCall pending) =>
        pending.FindTarget() is { } target ? TrySend(pending, target) : SendResult.NotCarried;

    /// <summary>Makes a connection for a call if there is none.</summary>
    /// <returns>True if calls can be sent in direct mode. If not, the server speaks HTTP/2.</returns>
    public async Task<bool> ConnectAsync(IPendingCall pending)
    {
        for (var failures = 0; _table.Live.Length == 0; failures++)
        {
            if (IsOverHttp2)
            {
                return false;
            }

            ThrowIfTooMany(pending, failures);

            await WaitForConnectionAsync(pending).ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>Sends a call once more. The call learns what came of that.</summary>
    /// <param name="pending">The call.</param>
    /// <param name="isRefused">
    /// True if a server has refused the call and stays connected: then it is given some time first.
    /// </param>
    public void Retry(IPendingCall pending, bool isRefused = false) => _ = RetryAsync(pending, isRefused);

    /// <summary>Removes a connection that takes no more calls.</summary>
    public void Remove(DirectConnection connection)
    {
        _table.Remove(connection);
        _queue.Wake();
    }

    /// <summary>Lets the first call that waits try again: a call has left a connection that was full.</summary>
    public void WakeFirstWaiting() => _queue.Wake();

    /// <summary>
    /// Closes the connections when their calls have ended: nobody can send a request any more. An HTTP/2 connection
    /// ends by its own idle time, as over a socket.
    /// </summary>
    public void Forget() => _table.Clear();

    public void Dispose()
    {
        try
        {
            _table.Dispose();
        }
        finally
        {
            // A logger may have thrown. Whatever waits for a connection has to learn that none comes any more.
            _queue.WakeAll();
            _byteRoute?.Dispose();
        }
    }

    private void CountFailure(IPendingCall pending) => ThrowIfTooMany(pending, pending.Failures++);

    private void ThrowIfTooMany(IPendingCall pending, int failures)
    {
        if (failures >= MaxFailures)
        {
            throw Failures.CreateConnecting(pending, new IOException(
                $"The server has closed connections or refused the call {MaxFailures} times, one after the other."));
        }
    }

    private async Task RetryAsync(IPendingCall pending, bool isRefused)
    {
        pending.EnterQueue();
        try
        {
            CountFailure(pending);
            if (isRefused)
            {
                // Half a second in all, as over HTTP/2: see PushedRequestHandler.
                var pause = TimeSpan.FromMilliseconds(pending.Failures - 1);
                await Task.Delay(pause, pending.CancellationToken).ConfigureAwait(false);
            }

            if (await SendAsync(pending).ConfigureAwait(false) is var result and not SendResult.Sent)
            {
                await pending.SendElsewhereAsync(result).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The thread is that of whoever has fired the token, and the caller's code runs in the next line.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            pending.TrySetCanceled(pending.CancellationToken);
            pending.LeaveQueue();
        }
        catch (Exception exception)
        {
            pending.TrySetException(exception);
            if (exception is not UnsentRequestException)
            {
                pending.LeaveQueue();
            }
        }
    }

    private SendResult TrySend(IPendingCall pending, CallTarget target)
    {
        // Not before the calls that wait. A full connection is passed over before a call is rented in vain.
        if (_queue.Count == 0)
        {
            foreach (var connection in _table.Live)
            {
                if (!connection.Calls.IsFull
                    && pending.Carriers.Rent().Begin(pending, connection, target) is var result
                        and not SendResult.NoConnection)
                {
                    return result;
                }
            }
        }

        return SendResult.NoConnection;
    }

    /// <summary>Sends a call, on a connection that is made first if there is none.</summary>
    private async Task<SendResult> SendAsync(IPendingCall pending)
    {
        if (pending.FindTarget() is not { } target)
        {
            return SendResult.NotCarried;
        }

        while (true)
        {
            if (TrySend(pending, target) is var result and not SendResult.NoConnection)
            {
                return result;
            }

            if (IsOverHttp2)
            {
                return SendResult.NoDirectMode;
            }

            if (_table.Live.Length == 0)
            {
                CountFailure(pending);
                await WaitForConnectionAsync(pending).ConfigureAwait(false);
            }
            else if (await SendInTurnAsync(pending, target).ConfigureAwait(false) is var later
                and not SendResult.NoConnection)
            {
                return later;
            }
        }
    }
}
