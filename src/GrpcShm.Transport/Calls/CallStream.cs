using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// What carries one call on a connection in direct mode, on either side: a block of headers, data, and a block of
/// trailers in each direction. Knows nothing of HTTP: what the blocks mean is for its owner.
/// </summary>
/// <remarks>
/// <para>It is composed of a half for each direction (<see cref="SendingHalf"/>, <see cref="ReceivingHalf"/>), of what
/// both have in common (<see cref="CallLife"/>, <see cref="CallFailure"/>), and of what the heartbeat looks at
/// (<see cref="CallWaits"/>). Each field belongs to one of them. The stream itself is what the connection and the owner
/// see of all that.</para>
/// <para>Each side ends its direction once: by a message with the flag End, or by a reset. A call leaves its connection
/// when both sides have ended; a side that has been told of the end and is not at its own yet answers with a
/// reset.</para>
/// <para>What is received is handled by the thread that has the turn on the connection (<c>Receive…</c>, and the
/// owner's <c>On…</c>): it puts things where their readers find them, and never waits, nor runs foreign code, which is
/// left to <see cref="ReactorWork"/>. What is sent is sent by any thread under the gate, which is never held over
/// foreign code, either.</para>
/// <para>A stream is pooled with its owner, and may carry another call at any time after its own has left. So whoever
/// has found it earlier names the call by the id and the connection, which are compared under the gate.</para>
/// </remarks>
internal sealed class CallStream
{
    private readonly ICallStreamOwner _owner;
    private readonly CallLife _life = new();
    private readonly FailureNotice _notice = new();
    private readonly SendingHalf _sending;
    private readonly SentBody _output;
    private readonly ReceivingHalf _receiving;
    private readonly CallFailure _failure;
    private readonly CallWaits _waits;

    /// <summary>Makes the stream of a call.</summary>
    /// <param name="owner">Uses it, and is told what comes.</param>
    /// <param name="profile">Where what the call leads to runs.</param>
    /// <param name="isCounted">Whether a connection is in use because of the call.</param>
    public CallStream(ICallStreamOwner owner, RunProfile profile, bool isCounted = true)
    {
        _owner = owner;
        Profile = profile;
        IsCounted = isCounted;
        _sending = new SendingHalf(this, _life, _notice);
        _output = new SentBody(this, _life, _notice, _sending);
        _receiving = new ReceivingHalf(this, owner, _life, _sending);
        _failure = new CallFailure(_life, _notice, _sending, _receiving.Input);
        _waits = new CallWaits(owner, _life, _sending, _receiving);
    }

    /// <summary>The id on the connection; the table's to set.</summary>
    public uint Id
    {
        get => _life.Id;
        set => _life.Id = value;
    }

    /// <summary>Whether a connection is in use because of it.</summary>
    public bool IsCounted { get; }

    /// <summary>Where what this call leads to runs.</summary>
    public RunProfile Profile { get; set; }

    /// <summary>The connection that carries it.</summary>
    public CallConnection Connection => _life.Connection;

    /// <summary>The connection that carries it, if there is one.</summary>
    public CallConnection? Carrier => _life.Carrier;

    /// <summary>Whether its first window is reserved in its connection's budget, from when it is accepted.</summary>
    public bool HasWindow => _life.HasWindow;

    /// <summary>
    /// Whether the peer has ended its direction. Becomes so by the thread that receives, so a call that has not is
    /// still there when that thread looks again.
    /// </summary>
    public bool HasReceivedEnd => _life.HasReceivedEnd;

    /// <summary>Whether this side has sent all that it ever will.</summary>
    public bool HasSentEnd => _life.HasSentEnd;

    /// <summary>Whether anything of the call has been sent, so that the peer may have heard of it.</summary>
    public bool HasBegun => _sending.HasBegun;

    /// <summary>The data that comes.</summary>
    public ReceivedBody Input => _receiving.Input;

    /// <summary>The data that goes.</summary>
    public SentBody Output => _output;

    /// <summary>The headers. To be filled before the first flush.</summary>
    public HeaderBlock Headers => _sending.Headers;

    /// <summary>The trailers, if any. To be filled before the end.</summary>
    public HeaderBlock Trailers => _sending.Trailers;

    /// <summary>When a reader began to wait.</summary>
    public long Now => _life.Carrier?.Clock ?? 0;

    /// <summary>
    /// Whether its reader and its writer have ended what they began. One that has not, since it went on beyond the end
    /// of its call, must not come upon the next one. Once input and output are completed and the call has left.
    /// </summary>
    public bool IsUnused => Input.IsUnused && _sending.Flush.IsTaken;

    /// <summary>Names the connection. Before anything is sent or received.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="hasWindow">Whether its first window is reserved there, and has to be given back.</param>
    public void Attach(CallConnection connection, bool hasWindow = false) => _life.Attach(connection, hasWindow);

    /// <summary>Undoes <see cref="Attach"/> for a call that was given no id.</summary>
    public void Detach() => _life.Detach();

    /// <summary>
    /// Whether this side is done with the call that has this id on a connection, so that its slot is free.
    /// </summary>
    public bool HasLeft(CallConnection connection, uint id)
    {
        // Whoever sends the end has the gate until it is noted here, which the peer may outrun.
        lock (_life.Gate)
        {
            return !_life.Carries(this, connection, id);
        }
    }

    /// <summary>Whether it is on a connection, and its first message has yet to go. On a client.</summary>
    public bool IsYetToBegin(CallConnection connection)
    {
        lock (_life.Gate)
        {
            return _life.IsOnAt(connection) && !_sending.HasBegun;
        }
    }

    /// <summary>
    /// Whether the call is still the one with that id, and there is something to give up. By one who keeps the stream
    /// from carrying another one.
    /// </summary>
    public bool IsUnderWay(uint id)
    {
        lock (_life.Gate)
        {
            return _life.Carries(this, id) && !_life.HasSentEnd && !_sending.OwesReset;
        }
    }

    /// <summary>Takes a message. By the thread that receives.</summary>
    /// <param name="frame">Its header.</param>
    /// <param name="headers">The block of headers, in private memory.</param>
    /// <param name="data">The data, in shared memory.</param>
    /// <param name="trailers">The block of trailers, in private memory.</param>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule.</exception>
    public void Receive(
        in FrameHeader frame, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> data, ReadOnlySpan<byte> trailers) =>
        _receiving.Receive(frame, headers, data, trailers);

    /// <summary>Shows the reader the data that has been taken. By the thread that receives.</summary>
    public void ShowData() => Input.Show();

    /// <summary>Takes a reset for the call that has this id on a connection. By the thread that receives.</summary>
    public void ReceiveReset(CallConnection connection, uint id, CallError error) =>
        _receiving.ReceiveReset(connection, id, error);

    /// <summary>
    /// The peer gives credit to the call that has this id on a connection. By the thread that receives.
    /// </summary>
    /// <exception cref="SharedMemoryProtocolException">It is more than there can be.</exception>
    public void ReceiveCredit(CallConnection connection, uint id, uint count)
    {
        bool leaves;
        lock (_life.Gate)
        {
            if (!_life.Carries(this, connection, id))
            {
                return;
            }

            if (!_sending.TryAddCredit(count, out leaves))
            {
                throw new SharedMemoryProtocolException(
                    $"The peer gave {count} bytes of credit for call {id}, more than it has got.");
            }
        }

        LeaveIf(leaves);
    }

    /// <summary>
    /// There may be room in the ring, and it is the turn of the call that has this id on a connection.
    /// </summary>
    /// <returns>Whether it could send anything.</returns>
    public bool Resume(CallConnection connection, uint id)
    {
        bool leaves;
        bool hasSent;
        lock (_life.Gate)
        {
            if (!_life.Carries(this, connection, id))
            {
                return false;
            }

            leaves = _sending.Resume(out hasSent);
        }

        LeaveIf(leaves);
        return hasSent;
    }

    /// <summary>
    /// The peer of the call that has this id on a connection may send more, which has been reserved. Any thread: the
    /// reader's, or that of whoever has released what was reserved.
    /// </summary>
    public void GiveCredit(CallConnection connection, uint id, int count)
    {
        bool leaves;
        lock (_life.Gate)
        {
            if (!_life.Carries(this, connection, id) || _life.HasReceivedEnd)
            {
                // The peer has no use for credit any more.
                return;
            }

            leaves = _sending.GiveCredit(count);
        }

        LeaveIf(leaves);
    }

    /// <summary>
    /// The peer of the call that has this id on a connection sends more than its reader, which has failed by it, ever
    /// takes.
    /// </summary>
    public void RefuseMore(CallConnection connection, uint id)
    {
        bool leaves;
        lock (_life.Gate)
        {
            if (!_life.Carries(this, connection, id))
            {
                return;
            }

            leaves = _sending.Reset(CallError.TooMuch);
        }

        LeaveIf(leaves);
    }

    /// <summary>
    /// The reader of the input is about to be shown data, or why there is none. Under the gate of the input.
    /// </summary>
    public void CheckRead(long total) => _owner.OnRead(total);

    /// <summary>
    /// Ends the output at once, and drops what has not been sent. Tells the peer unless all is over. Any thread.
    /// </summary>
    public void Reset(CallError error)
    {
        bool leaves;
        lock (_life.Gate)
        {
            leaves = _sending.Reset(error);
        }

        LeaveIf(leaves);
    }

    /// <summary>Goes on receiving, as the rules demand, but drops what comes. Any thread.</summary>
    public void Discard() => _receiving.Discard();

    /// <summary>Lets the reader fail, since this side has given the call up. Any thread.</summary>
    public void FailInput(Exception exception) => Input.Fail(exception, byPeer: false);

    /// <summary>Tells the reader and the writer that the call has failed.</summary>
    public void FailBodies(Exception exception, bool byPeer) => _failure.Tell(exception, byPeer);

    /// <summary>
    /// Settles what the reader will be told by <see cref="TellFailure"/>, see <see cref="CallFailure.Note"/>.
    /// </summary>
    public void NoteFailure(Exception exception, bool byPeer) => _failure.Note(exception, byPeer);

    /// <summary>Tells the reader and the writer what has been noted, see <see cref="CallFailure.TellNoted"/>.</summary>
    public void TellFailure() => _failure.TellNoted();

    /// <summary>
    /// Ends the call because its connection is lost. By the thread that receives, after its last look.
    /// </summary>
    public void Lose(Exception exception)
    {
        lock (_life.Gate)
        {
            // From here on nothing is sent, so that the memory may go.
            if (!_life.TryLose())
            {
                // Somebody else makes it leave at this moment.
                return;
            }

            // Who writes before the failure is noted must not learn of it earlier than who waits.
            _notice.Expect();
            _sending.Drop();
        }

        try
        {
            _receiving.Fail(CallError.Internal, exception);
        }
        catch
        {
            Input.Fail(exception, byPeer: true);
            throw;
        }
        finally
        {
            // Where the call makes nothing of it, or has thrown.
            _failure.TellUnlessNoted();
            Leave();
        }
    }

    /// <summary>Looks how long it has been waiting. By the heartbeat, without locks of its own.</summary>
    /// <param name="connection">The connection on whose behalf.</param>
    /// <param name="last">When it looked before.</param>
    /// <param name="limits">How long it may wait.</param>
    /// <param name="overdue">What it has waited for too long.</param>
    /// <returns>Whether this side has not ended it yet.</returns>
    public bool Look(CallConnection connection, long last, CallTimeLimits limits, out Overdue overdue) =>
        _waits.Look(connection, last, limits, out overdue);

    /// <summary>Ends the call if the rest of a block has not come in time. By the thread that receives.</summary>
    public void EndIfBlockIsOverdue(CallConnection connection, long clock, TimeSpan limit) =>
        _receiving.EndIfBlockIsOverdue(connection, clock, limit);

    /// <summary>Makes it as new. Its input and output have to be completed, and the call has to have left.</summary>
    public void Reuse()
    {
        _life.Reuse();
        _notice.Reuse();
        _receiving.Reuse();
        _output.Reuse();
        _sending.Reuse();
        _waits.Reuse();
    }

    /// <summary>Leaves the connection, if that is for the caller to do. Not under the gate.</summary>
    public void LeaveIf(bool leaves)
    {
        if (leaves)
        {
            Leave();
        }
    }

    /// <summary>Leaves the connection, after whoever has taken the call down has left the gate.</summary>
    /// <param name="byReceiver">Whether by the thread that receives, which has found that both sides have
    /// ended.</param>
    public void Leave(bool byReceiver = false)
    {
        LockOrder.ThrowIfHeld(_life.Gate);
        Connection.Remove(this);
        Input.Leave();
        _owner.OnLeft(byReceiver);
    }
}
