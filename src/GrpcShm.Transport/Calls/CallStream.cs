using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// Carries one call on a connection in direct mode, on either side: a block of headers, data, and a block of trailers
/// in each direction. A stream knows nothing of HTTP: its owner knows the meaning of the blocks.
/// </summary>
/// <remarks>
/// <para>It is composed of a half for each direction (<see cref="SendingHalf"/>, <see cref="ReceivingHalf"/>), of the
/// parts that both have in common (<see cref="CallLife"/>, <see cref="CallFailure"/>), and of the part that the
/// heartbeat looks at (<see cref="CallWaits"/>). Each field belongs to one part. The stream itself is the face of the
/// parts for the connection and the owner.</para>
/// <para>Each side ends its direction once: by a message with the flag End, or by a reset. A call leaves its connection
/// when both sides have ended. A side that learns of the peer's end before it has ended itself answers with a
/// reset.</para>
/// <para>The thread that has the turn on the connection handles the received frames (<c>Receive…</c>, and the owner's
/// <c>On…</c>). It puts their parts where the readers find them. It never waits, and it never runs foreign code,
/// which is left to <see cref="ReactorWork"/>. Any thread sends, under the gate, which is never held over foreign code,
/// either.</para>
/// <para>A stream is pooled with its owner, and may carry another call at any time after its call has left. So a thread
/// that has found the stream earlier names the call by the id and the connection, which are compared under the
/// gate.</para>
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
    /// <param name="owner">The user of the stream, which is told of the parts that come.</param>
    /// <param name="profile">Decides where the work of the call runs.</param>
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

    /// <summary>The id on the connection, which the table sets.</summary>
    public uint Id
    {
        get => _life.Id;
        set => _life.Id = value;
    }

    /// <summary>Whether a connection is in use because of it.</summary>
    public bool IsCounted { get; }

    /// <summary>Decides where the work of this call runs.</summary>
    public RunProfile Profile { get; set; }

    /// <summary>The connection that carries the call.</summary>
    public CallConnection Connection => _life.Connection;

    /// <summary>The connection that carries the call, if there is one.</summary>
    public CallConnection? Carrier => _life.Carrier;

    /// <summary>Whether its first window is reserved in its connection's budget, from when it is accepted.</summary>
    public bool HasWindow => _life.HasWindow;

    /// <summary>
    /// Whether the peer has ended its direction. Only the thread that receives notes the end. So a call whose peer has
    /// not ended is still there when that thread looks again.
    /// </summary>
    public bool HasReceivedEnd => _life.HasReceivedEnd;

    /// <summary>Whether this side has sent all that it ever will.</summary>
    public bool HasSentEnd => _life.HasSentEnd;

    /// <summary>Whether a frame of the call has been sent, so that the peer may know of it.</summary>
    public bool HasBegun => _sending.HasBegun;

    /// <summary>The received data.</summary>
    public ReceivedBody Input => _receiving.Input;

    /// <summary>The data to send.</summary>
    public SentBody Output => _output;

    /// <summary>The headers. To be filled before the first flush.</summary>
    public HeaderBlock Headers => _sending.Headers;

    /// <summary>The trailers, if any. To be filled before the end.</summary>
    public HeaderBlock Trailers => _sending.Trailers;

    /// <summary>The time, which a reader notes when it begins to wait.</summary>
    public long Now => _life.Carrier?.Clock ?? 0;

    /// <summary>
    /// Whether its reader and its writer have ended their operations. A reader or writer that goes on beyond the end of
    /// its call must not meet the next call. Asked once input and output are completed and the call has left.
    /// </summary>
    public bool IsUnused => Input.IsUnused && _sending.Flush.IsTaken;

    /// <summary>Names the connection. Before anything is sent or received.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="hasWindow">Whether the connection has reserved its first window, which has to be given
    /// back.</param>
    public void Attach(CallConnection connection, bool hasWindow = false) => _life.Attach(connection, hasWindow);

    /// <summary>Undoes <see cref="Attach"/> for a call that was given no id.</summary>
    public void Detach() => _life.Detach();

    /// <summary>
    /// Whether the call with an id on a connection has left, so that its slot is free.
    /// </summary>
    public bool HasLeft(CallConnection connection, uint id)
    {
        // A thread that sends the end has the gate until it has noted the end. The peer may see the end before that.
        lock (_life.Gate)
        {
            return !_life.Carries(this, connection, id);
        }
    }

    /// <summary>
    /// Whether the call is on a connection, and its first message has not been sent yet. On a client.
    /// </summary>
    public bool IsYetToBegin(CallConnection connection)
    {
        lock (_life.Gate)
        {
            return _life.IsOnAt(connection) && !_sending.HasBegun;
        }
    }

    /// <summary>
    /// Whether the stream still carries the call with an id, and the call can be given up. By a thread that keeps the
    /// stream from carrying another call.
    /// </summary>
    public bool IsUnderWay(uint id)
    {
        lock (_life.Gate)
        {
            return _life.Carries(this, id) && !_life.HasSentEnd && !_sending.OwesReset;
        }
    }

    /// <summary>Takes a message. By the thread that receives.</summary>
    /// <param name="frame">The header of the message.</param>
    /// <param name="headers">The block of headers, in private memory.</param>
    /// <param name="data">The data, in shared memory.</param>
    /// <param name="trailers">The block of trailers, in private memory.</param>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule.</exception>
    public void Receive(
        in FrameHeader frame, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> data, ReadOnlySpan<byte> trailers) =>
        _receiving.Receive(frame, headers, data, trailers);

    /// <summary>Shows the reader the data that has been taken. By the thread that receives.</summary>
    public void ShowData() => Input.Show();

    /// <summary>Takes a reset for the call with an id on a connection. By the thread that receives.</summary>
    public void ReceiveReset(CallConnection connection, uint id, CallError error) =>
        _receiving.ReceiveReset(connection, id, error);

    /// <summary>
    /// Takes credit from the peer for the call with an id on a connection. By the thread that receives.
    /// </summary>
    /// <exception cref="SharedMemoryProtocolException">The peer gives too much credit.</exception>
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
                    $"The peer gave {count} bytes of credit for call {id}, more than the window has room for.");
            }
        }

        LeaveIf(leaves);
    }

    /// <summary>
    /// Lets the call with an id on a connection send, since it has its turn and there may be room in the ring.
    /// </summary>
    /// <returns>Whether the call could send anything.</returns>
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
    /// Lets the peer send more for the call with an id on a connection; the bytes have been reserved. Any thread: the
    /// reader, or a thread that has released bytes of another call.
    /// </summary>
    public void GiveCredit(CallConnection connection, uint id, int count)
    {
        bool leaves;
        lock (_life.Gate)
        {
            if (!_life.Carries(this, connection, id) || _life.HasReceivedEnd)
            {
                // The peer does not use credit any more.
                return;
            }

            leaves = _sending.GiveCredit(count);
        }

        LeaveIf(leaves);
    }

    /// <summary>
    /// Resets the call with an id on a connection, since the peer sends more than the reader will ever take. The reader
    /// has failed already.
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
    /// Called before the reader of the input is shown data, or a failure. Under the gate of the input.
    /// </summary>
    public void CheckRead(long total) => _owner.OnRead(total);

    /// <summary>
    /// Ends the output at once, and drops data that has not been sent. Tells the peer, unless the call is over. Any
    /// thread.
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

    /// <summary>Goes on receiving, as the rules demand, but drops the received parts. Any thread.</summary>
    public void Discard() => _receiving.Discard();

    /// <summary>Lets the reader fail, since this side has given the call up. Any thread.</summary>
    public void FailInput(Exception exception) => Input.Fail(exception, byPeer: false);

    /// <summary>Tells the reader and the writer that the call has failed.</summary>
    public void FailBodies(Exception exception, bool byPeer) => _failure.Tell(exception, byPeer);

    /// <summary>
    /// Settles the failure that <see cref="TellFailure"/> will tell the reader, see <see cref="CallFailure.Note"/>.
    /// </summary>
    public void NoteFailure(Exception exception, bool byPeer) => _failure.Note(exception, byPeer);

    /// <summary>Tells the reader and the writer the noted failure, see <see cref="CallFailure.TellNoted"/>.</summary>
    public void TellFailure() => _failure.TellNoted();

    /// <summary>
    /// Ends the call because its connection is lost. By the thread that receives, after its last look.
    /// </summary>
    public void Lose(Exception exception)
    {
        lock (_life.Gate)
        {
            // From here on nothing is sent, so that the memory may be unmapped.
            if (!_life.TryLose())
            {
                // Another thread makes the call leave at this moment.
                return;
            }

            // A writer that writes before the failure is noted must not learn of it earlier than a writer that waits.
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
            // If the owner did not tell or note the failure, or has thrown.
            _failure.TellUnlessNoted();
            Leave();
        }
    }

    /// <summary>Looks how long the call has been waiting. By the heartbeat, without locks of its own.</summary>
    /// <param name="connection">The connection whose heartbeat looks.</param>
    /// <param name="last">The time of the heartbeat before.</param>
    /// <param name="limits">How long the call may wait.</param>
    /// <param name="overdue">The thing for which the call has waited too long.</param>
    /// <returns>Whether this side has not ended the call yet.</returns>
    public bool Look(CallConnection connection, long last, CallTimeLimits limits, out Overdue overdue) =>
        _waits.Look(connection, last, limits, out overdue);

    /// <summary>Ends the call if the rest of a block has not come in time. By the thread that receives.</summary>
    public void EndIfBlockIsOverdue(CallConnection connection, long clock, TimeSpan limit) =>
        _receiving.EndIfBlockIsOverdue(connection, clock, limit);

    /// <summary>Resets it for the next call. Input and output have to be completed, and the call has to have
    /// left.</summary>
    public void Reuse()
    {
        _life.Reuse();
        _notice.Reuse();
        _receiving.Reuse();
        _output.Reuse();
        _sending.Reuse();
        _waits.Reuse();
    }

    /// <summary>Lets the call leave the connection, if the caller has to do that. Not under the gate.</summary>
    public void LeaveIf(bool leaves)
    {
        if (leaves)
        {
            Leave();
        }
    }

    /// <summary>Lets the call leave the connection. After the thread that has taken it down has left the
    /// gate.</summary>
    /// <param name="byReceiver">Whether the caller is the thread that receives, which has found that both sides have
    /// ended.</param>
    public void Leave(bool byReceiver = false)
    {
        LockOrder.ThrowIfHeld(_life.Gate);
        Connection.Remove(this);
        Input.Leave();
        _owner.OnLeft(byReceiver);
    }
}
