using GrpcShm.Transport.Rendezvous;

namespace GrpcShm.Client.Direct;

/// <summary>
/// The attempts to connect that requests share: one at a time, and one pause after each for all requests that wait for
/// a server. All of it under the gate of the owner.
/// </summary>
/// <param name="gate">
/// The owner's lock. The owner holds it when it joins, begins or gives up an attempt, since it looks at its own state
/// in the same moment. The others take it by themselves.
/// </param>
/// <param name="connectivity">Is told of the attempts.</param>
internal sealed class ConnectAttempts(Lock gate, ChannelConnectivity connectivity)
{
    // The latest attempt, if it has failed.
    private ConnectAttempt? _failed;
    private ConnectPause _pauses = new();

    /// <summary>The attempt that is under way.</summary>
    public ConnectAttempt? Current { get; private set; }

    /// <summary>
    /// Joins the attempt, or begins one. Whoever joins has to <see cref="Leave"/>, and whoever begins an attempt has to
    /// carry it out, and to <see cref="End"/> it.
    /// </summary>
    /// <param name="after">
    /// The attempt that the request has seen fail before its pause. If another one has failed since then, the request
    /// takes that one for its own: so many requests that wait make no more attempts than one.
    /// </param>
    /// <param name="isNew">True if this request has begun the attempt.</param>
    public ConnectAttempt Join(ConnectAttempt? after, out bool isNew)
    {
        var joined = Current ?? (after is null || _failed == after ? null : _failed);
        isNew = joined is null;
        joined ??= Begin(new ConnectAttempt());
        joined.Waiters++;
        return joined;
    }

    /// <summary>Begins an attempt that nobody waits for.</summary>
    public ConnectAttempt BeginExtra() => Begin(new ConnectAttempt { IsExtra = true, Waiters = 1 });

    /// <summary>Ends the wait for an attempt. If nobody else waits for it, the attempt is cancelled.</summary>
    public void Leave(ConnectAttempt attempt)
    {
        lock (gate)
        {
            if (--attempt.Waiters > 0 || Current != attempt)
            {
                return;
            }

            Current = null;
            connectivity.GiveUpAttempt();
        }

        attempt.Cancel();
    }

    /// <summary>Makes room for the next attempt. Does nothing if the attempt has been given up.</summary>
    public void End(ConnectAttempt attempt, bool hasFailed)
    {
        lock (gate)
        {
            if (Current != attempt)
            {
                return;
            }

            Current = null;
            _failed = hasFailed ? attempt : null;
            _pauses = hasFailed ? _pauses : new ConnectPause();
            connectivity.EndAttempt(hasFailed);
        }
    }

    /// <summary>Gives up the attempt that is under way.</summary>
    /// <returns>The attempt, which has to be cancelled.</returns>
    public ConnectAttempt? GiveUp()
    {
        var attempt = Current;
        Current = null;
        if (attempt is not null)
        {
            connectivity.GiveUpAttempt();
        }

        return attempt;
    }

    /// <summary>The pause after an attempt that has failed: the same one for all who ask.</summary>
    public Task PauseAfter(ConnectAttempt attempt)
    {
        lock (gate)
        {
            return attempt.Pause ??= _pauses.WaitAsync(CancellationToken.None);
        }
    }

    private ConnectAttempt Begin(ConnectAttempt attempt)
    {
        Current = attempt;
        connectivity.BeginAttempt();
        return attempt;
    }
}
