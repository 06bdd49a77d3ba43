using System.Diagnostics.CodeAnalysis;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// Decides which thread receives on a connection: one thread at a time takes the frames that have come, and does the
/// work that other threads have left to it.
/// </summary>
/// <remarks>
/// The reactor signals when the doorbell has rung. Other threads signal if they have work for the receiving thread, or
/// have ended the connection. The thread that gets the <see cref="Turn"/> by its signal receives. It yields after a
/// number of frames, and seals the turn when the connection has ended.
/// </remarks>
/// <param name="connection">The connection.</param>
/// <param name="carrier">The connection with its calls.</param>
/// <param name="frames">Takes the frames.</param>
internal sealed class ReceivingTurn(SharedMemoryConnection connection, CallConnection carrier, FrameReceiver frames)
    : ISignaledOperation, IThreadPoolWorkItem
{
    private Turn _turn;

    /// <summary>Whether no thread receives right now, so that a reactor may look at the ring by itself.</summary>
    public bool IsWaiting => _turn.IsWaiting;

    /// <summary>Takes the first turn, for frames that have come by now: before that, signals do nothing.
    /// Once.</summary>
    public void Start()
    {
        if (_turn.TryEnter())
        {
            Take(onReactor: false);
        }
    }

    /// <inheritdoc/>
    public void Signal(bool onReactor)
    {
        if (_turn.TrySignal())
        {
            Take(onReactor);
        }
    }

    /// <inheritdoc/>
    public void Seal(Action afterLast) =>
        throw new NotSupportedException("A connection in direct mode ends by itself.");

    void IThreadPoolWorkItem.Execute() => Signal(onReactor: false);

    private void Take(bool onReactor)
    {
        do
        {
            _turn.TakeSignal();
            if (!TryReceive(out var failure, out var hasMore))
            {
                _turn.Seal();
                carrier.End(failure);
                return;
            }

            if (hasMore)
            {
                _turn.Yield();
                GoOnLater(onReactor);
                return;
            }
        }
        while (!_turn.TryWait());
    }

    private void GoOnLater(bool onReactor)
    {
        if (onReactor && Reactor.Running is { } reactor)
        {
            reactor.Resume(connection);
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>Takes the frames that are there, or as many as one turn allows, and lets waiting calls go on.</summary>
    /// <returns>Whether the connection goes on.</returns>
    private bool TryReceive([NotNullWhen(false)] out Exception? failure, out bool hasMore)
    {
        try
        {
            if (frames.TryReceive(out failure, out hasMore))
            {
                carrier.LetOthersGoOn();
                return true;
            }

            return false;
        }
        catch (SharedMemoryProtocolException violation)
        {
            // If the ring itself breaks a rule, the connection has been aborted already.
            if (!connection.IsClosed)
            {
                connection.AbortForViolation(violation);
            }

            failure = violation;
        }
        catch (Exception exception)
        {
            // The peer or this side has ended the connection. Any other exception is a bug of this code, which must not
            // let calls wait for ever.
            if (exception is not IOException && !connection.IsClosed && !connection.PeerIsGone)
            {
                connection.OnFault(exception);
            }

            failure = exception;
        }

        hasMore = false;
        return false;
    }
}
