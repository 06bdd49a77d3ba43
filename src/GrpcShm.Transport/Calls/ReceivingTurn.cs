using System.Diagnostics.CodeAnalysis;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// Whose turn it is to receive on a connection: one thread at a time takes the frames that have come, and does what
/// others have left to it.
/// </summary>
/// <remarks>
/// The reactor that was told by the doorbell signals, as does whoever has something for the receiving thread to do or
/// has ended the connection. Whoever gets the <see cref="Turn"/> by that receives. It yields after so many frames, and
/// seals the turn when the connection has ended.
/// </remarks>
/// <param name="connection">The connection.</param>
/// <param name="carrier">The same with its calls.</param>
/// <param name="frames">Takes the frames.</param>
internal sealed class ReceivingTurn(SharedMemoryConnection connection, CallConnection carrier, FrameReceiver frames)
    : ISignaledOperation, IThreadPoolWorkItem
{
    private Turn _turn;

    /// <summary>Whether nobody receives right now, so that a reactor may look at the ring by itself.</summary>
    public bool IsWaiting => _turn.IsWaiting;

    /// <summary>Takes the first turn, for what has come by now: signals do nothing before. Once.</summary>
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

    /// <summary>Takes what there is, or as much as one turn allows, and lets those go on that wait.</summary>
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
            // Where the ring itself breaks a rule, that has been done already.
            if (!connection.IsClosed)
            {
                connection.AbortForViolation(violation);
            }

            failure = violation;
        }
        catch (Exception exception)
        {
            // The peer's end or this side's; anything else is a bug of ours, which must not leave calls waiting for
            // ever.
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
