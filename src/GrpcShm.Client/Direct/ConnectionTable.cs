using System.Diagnostics.CodeAnalysis;

namespace GrpcShm.Client.Direct;

/// <summary>
/// The connections of a channel that take calls, and the attempt to make one more: never more than one attempt at a
/// time. Any thread.
/// </summary>
/// <remarks>
/// Both stand under one gate: whoever joins an attempt has seen that there is no connection, and whoever adds a
/// connection has seen that its attempt is still wanted. A connection retires in two steps: it says so, then it removes
/// itself under the gate. <see cref="TryAdd"/> asks it under the same gate, so a retired connection never stays here.
/// </remarks>
/// <typeparam name="TConnection">The connections.</typeparam>
internal sealed class ConnectionTable<TConnection> : IDisposable
    where TConnection : class, IRetirable
{
    private readonly Lock _gate = new();
    private readonly ChannelConnectivity _connectivity;
    private readonly ConnectAttempts _attempts;

    // Replaced under the gate, as a whole, and read by anybody without it. A reader may find a connection here that has
    // just retired: that connection turns the call away.
    private TConnection[] _live = [];
    private bool _isDisposed;

    /// <param name="connectivity">Is told of the connections and the attempts.</param>
    public ConnectionTable(ChannelConnectivity connectivity)
    {
        _connectivity = connectivity;
        _attempts = new ConnectAttempts(_gate, connectivity);
    }

    /// <summary>The connections that take calls. The array never changes.</summary>
    public TConnection[] Live => Volatile.Read(ref _live);

    /// <summary>True once the channel has been disposed: then no attempt begins any more.</summary>
    public bool IsDisposed => Volatile.Read(ref _isDisposed);

    /// <summary>
    /// Joins the attempt to connect, or begins one. Whoever joins has to <see cref="Leave"/>, and whoever begins an
    /// attempt has to carry it out, and to <see cref="End"/> it.
    /// </summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="isNew">True if this call has begun it.</param>
    /// <param name="after">
    /// The attempt that the call has seen fail, if it waits for a server: see <see cref="ConnectAttempts.Join"/>.
    /// </param>
    /// <returns>False if there is nothing to wait for: there is a connection, or the table has been disposed.</returns>
    public bool TryJoin(
        [NotNullWhen(true)] out ConnectAttempt? attempt, out bool isNew, ConnectAttempt? after = null)
    {
        lock (_gate)
        {
            attempt = null;
            isNew = false;
            if (_isDisposed || _live.Length > 0)
            {
                return false;
            }

            attempt = _attempts.Join(after, out isNew);
            return true;
        }
    }

    /// <summary>
    /// Begins an attempt to make one more connection, unless one is under way. It belongs to nobody in particular, so
    /// it goes on when the call that asked for it has been given up.
    /// </summary>
    /// <param name="isNeeded">
    /// Says whether one more is needed beside those that there are. Asked under the gate.
    /// </param>
    /// <returns>
    /// The attempt, which the caller has to carry out and to <see cref="End"/>; nothing if none began.
    /// </returns>
    public ConnectAttempt? BeginExtra(Func<TConnection[], bool> isNeeded)
    {
        lock (_gate)
        {
            return _isDisposed || _attempts.Current is not null || !isNeeded(_live) ? null : _attempts.BeginExtra();
        }
    }

    /// <summary>Ends the wait for an attempt. If nobody else waits for it, the attempt is cancelled.</summary>
    public void Leave(ConnectAttempt attempt) => _attempts.Leave(attempt);

    /// <summary>True as long as somebody wants the connection that an attempt makes.</summary>
    public bool IsWanted(ConnectAttempt attempt)
    {
        lock (_gate)
        {
            return _attempts.Current == attempt;
        }
    }

    /// <summary>
    /// Adds a connection that an attempt has made. If nobody wants it any more, the connection retires.
    /// </summary>
    /// <returns>True if calls can be sent on it: it is wanted, and has not retired meanwhile.</returns>
    public bool TryAdd(ConnectAttempt attempt, TConnection connection)
    {
        lock (_gate)
        {
            if (_attempts.Current == attempt)
            {
                // A connection that retires from here on removes itself, under the gate. One that has retired already
                // had nothing to remove.
                if (connection.IsRetired)
                {
                    return false;
                }

                Volatile.Write(ref _live, [.. _live, connection]);
                _connectivity.AddConnection();
                return true;
            }
        }

        connection.Retire();
        return false;
    }

    /// <summary>Makes room for the next attempt, whatever came of this one.</summary>
    public void End(ConnectAttempt attempt, bool hasFailed = false) => _attempts.End(attempt, hasFailed);

    /// <summary>The pause after an attempt that has failed. All calls that wait for a server share it.</summary>
    public Task PauseAfter(ConnectAttempt attempt) => _attempts.PauseAfter(attempt);

    /// <summary>Removes a connection that takes no more calls. Does nothing if it is not here.</summary>
    public void Remove(TConnection connection)
    {
        lock (_gate)
        {
            if (Array.IndexOf(_live, connection) >= 0)
            {
                Volatile.Write(ref _live, [.. _live.Where(c => c != connection)]);
                _connectivity.RemoveConnection();
            }
        }
    }

    /// <summary>Cancels the attempt, and retires all connections. New ones can be made afterwards.</summary>
    public void Clear() => Clear(isDisposing: false);

    /// <summary>Does the same for good: no attempt begins afterwards.</summary>
    public void Dispose() => Clear(isDisposing: true);

    private void Clear(bool isDisposing)
    {
        ConnectAttempt? attempt;
        TConnection[] live;
        lock (_gate)
        {
            _isDisposed |= isDisposing;
            attempt = _attempts.GiveUp();
            live = _live;
        }

        attempt?.Cancel();
        Array.ForEach(live, static connection => connection.Retire());
    }
}
