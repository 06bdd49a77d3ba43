using GrpcShm.Client.Diagnostics;
using GrpcShm.Transport.Rendezvous;

namespace GrpcShm.Client.Direct;

/// <summary>
/// The connections of a channel in direct mode: one, made when it is needed, and more while all have as many calls as
/// the server takes. If the server has no direct mode, requests go over HTTP/2 until its last connection
/// is gone, and then it is asked again.
/// </summary>
internal sealed partial class ClientConnections : IDisposable
{
    // Each is a connection that had to be made, or on which the call came to nothing.
    private const int MaxFailures = 32;

    private readonly Lock _gate = new();
    private readonly SharedMemoryConnector _connector;
    private readonly IByteRoute? _byteRoute;
    private readonly ClientCallPool _calls;
    private readonly RoomQueue _queue = new();

    // Replaced under the gate, and read by anybody without it: who finds a connection there that has just retired is
    // turned away by it.
    private DirectConnection[] _live = [];
    private ConnectAttempt? _attempt;
    private bool _isDisposed;

    /// <param name="connector">Makes the connections.</param>
    /// <param name="byteRoute">The way for calls to a server that has no direct mode, if that is allowed.</param>
    /// <param name="calls">The calls that may serve again.</param>
    /// <param name="failures">Makes the exceptions for what goes wrong.</param>
    /// <param name="options">How to connect.</param>
    /// <param name="diagnostics">Is told of it.</param>
    public ClientConnections(
        SharedMemoryConnector connector,
        IByteRoute? byteRoute,
        ClientCallPool calls,
        ICallFailures failures,
        SharedMemoryClientOptions options,
        ClientDiagnostics diagnostics)
    {
        _connector = connector;
        _byteRoute = byteRoute;
        _calls = calls;
        Failures = failures;
        Options = options;
        Diagnostics = diagnostics;
    }

    public ICallFailures Failures { get; }

    public SharedMemoryClientOptions Options { get; }

    public ClientDiagnostics Diagnostics { get; }

    /// <summary>Sends a call on the connection that there is.</summary>
    public SendResult TrySend(IPendingCall pending) =>
        pending.FindPath() is { } path ? TrySend(pending, path) : SendResult.NotCarried;

    /// <summary>Whether there is a connection for calls.</summary>
    public bool HasConnection => Volatile.Read(ref _live).Length > 0;

    /// <summary>Makes a connection if there is none.</summary>
    /// <returns>Whether requests can be sent on it. If not, the server speaks HTTP/2.</returns>
    public async Task<bool> ConnectAsync(CancellationToken cancellationToken)
    {
        for (var failures = 0; Volatile.Read(ref _live).Length == 0; failures++)
        {
            if (_byteRoute is { IsLive: true })
            {
                return false;
            }

            ThrowIfTooMany(failures);

            await WaitForConnectionAsync(cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>Sends a call once more, which completes with what comes of that.</summary>
    /// <param name="pending">The call.</param>
    /// <param name="isRefused">Whether a server has refused it that stays, and needs some time.</param>
    public void Retry(IPendingCall pending, bool isRefused = false) => _ = RetryAsync(pending, isRefused);

    /// <summary>A connection takes no more calls.</summary>
    public void Remove(DirectConnection connection)
    {
        lock (_gate)
        {
            if (Array.IndexOf(_live, connection) >= 0)
            {
                Volatile.Write(ref _live, [.. _live.Where(c => c != connection)]);
            }
        }

        _queue.Wake();
    }

    /// <summary>A call has left a connection that was full.</summary>
    public void RoomIsThere() => _queue.Wake();

    /// <summary>
    /// No further request will come, for nobody can send one. What goes over HTTP/2 ends by the idle time of that, as
    /// over a socket.
    /// </summary>
    public void Forget()
    {
        ConnectAttempt? attempt;
        DirectConnection[] live;
        lock (_gate)
        {
            attempt = _attempt;
            _attempt = null;
            live = _live;
        }

        attempt?.Cancel();
        Array.ForEach(live, static connection => connection.Retire());
    }

    public void Dispose()
    {
        ConnectAttempt? attempt;
        DirectConnection[] live;
        lock (_gate)
        {
            _isDisposed = true;
            attempt = _attempt;
            _attempt = null;
            live = _live;
        }

        attempt?.Cancel();
        _queue.WakeAll();
        Array.ForEach(live, static connection => connection.Retire());
        _byteRoute?.Dispose();
    }

    private void Count(IPendingCall pending)
    {
        ThrowIfTooMany(pending.Failures++);
    }

    private void ThrowIfTooMany(int failures)
    {
        if (failures >= MaxFailures)
        {
            throw Failures.Connecting(new IOException(
                $"The server has closed connections or refused the call {MaxFailures} times, one after the other."));
        }
    }

    private async Task RetryAsync(IPendingCall pending, bool isRefused)
    {
        pending.EnterQueue();
        try
        {
            Count(pending);
            if (isRefused)
            {
                // Half a second in all, as over HTTP/2: see PushedRequestHandler.
                await Task.Delay(TimeSpan.FromMilliseconds(pending.Failures - 1), pending.CancellationToken).ConfigureAwait(false);
            }

            if (await SendAsync(pending).ConfigureAwait(false) is var result and not SendResult.Sent)
            {
                await pending.SendElsewhereAsync(result).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
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

    private SendResult TrySend(IPendingCall pending, CallPath path)
    {
        // Behind those who wait. Whether there is room is found out without a call that is then of no use.
        if (_queue.Count == 0)
        {
            foreach (var connection in Volatile.Read(ref _live))
            {
                if (!connection.Calls.IsFull
                    && _calls.Rent().Begin(pending, connection, path) is var result and not SendResult.NoConnection)
                {
                    return result;
                }
            }
        }

        return SendResult.NoConnection;
    }

    /// <summary>Sends a call on a connection that is made first, if there is none.</summary>
    private async Task<SendResult> SendAsync(IPendingCall pending)
    {
        if (pending.FindPath() is not { } path)
        {
            return SendResult.NotCarried;
        }

        while (true)
        {
            if (TrySend(pending, path) is var result and not SendResult.NoConnection)
            {
                return result;
            }

            if (_byteRoute is { IsLive: true })
            {
                return SendResult.NoDirectMode;
            }

            if (Volatile.Read(ref _live).Length == 0)
            {
                Count(pending);
                await WaitForConnectionAsync(pending.CancellationToken).ConfigureAwait(false);
            }
            else if (await SendInTurnAsync(pending, path).ConfigureAwait(false) is var later
                and not SendResult.NoConnection)
            {
                return later;
            }
        }
    }
}
