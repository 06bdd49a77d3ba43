using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// What carries one call on a connection in direct mode, on either side: a block of headers, data, and a block of
/// trailers in each direction. Knows nothing of HTTP: what the blocks mean is for its owner.
/// </summary>
/// <remarks>
/// <para>Each side ends its direction once: by a message with the flag End, or by a reset. A call leaves its connection
/// when both sides have ended; a side that has been told of the end and is not at its own yet answers with a reset.</para>
/// <para>What is received is handled by the thread that has the turn on the connection (<c>Receive…</c>, and the owner's <c>On…</c>): it
/// puts things where their readers find them, and never waits, nor runs foreign code, which is left to
/// <see cref="ReactorWork"/>. What is sent is sent by any thread under the gate, which is never held over foreign
/// code, either.</para>
/// </remarks>
internal sealed partial class CallStream
{
    private readonly ICallStreamOwner _owner;
    private readonly Lock _gate = new();
    private readonly ReceivedBody _input;
    private readonly SentBody _output;
    private CallConnection? _connection;
    private bool _hasSentEnd;
    private bool _hasReceivedEnd;

    // From when it is attached until it has left. Whoever takes it down, under the gate, has to leave, and so that is once.
    private bool _isOn;
    private bool _isReceivingReset;
    private bool _hasFailed;

    /// <summary>Makes the stream of a call.</summary>
    /// <param name="owner">Uses it, and is told what comes.</param>
    /// <param name="profile">Where what the call leads to runs.</param>
    /// <param name="isCounted">Whether a connection is in use because of the call.</param>
    public CallStream(ICallStreamOwner owner, RunProfile profile, bool isCounted = true)
    {
        _owner = owner;
        Profile = profile;
        IsCounted = isCounted;
        _input = new ReceivedBody(this);
        _output = new SentBody(this);
        _flush = new FlushOperation(this);
        WaitingPlace = new LinkedListNode<CallStream>(this);
    }

    /// <summary>The id on the connection; the table's to set.</summary>
    public uint Id { get; set; }

    /// <summary>
    /// Whether the peer has ended its direction. Becomes so by the thread that receives, so a call that has not is still
    /// there when that thread looks again.
    /// </summary>
    public bool HasReceivedEnd => Volatile.Read(ref _hasReceivedEnd);

    /// <summary>Whether a connection is in use because of it.</summary>
    public bool IsCounted { get; }

    /// <summary>Where what this call leads to runs.</summary>
    public RunProfile Profile { get; set; }

    /// <summary>The data that comes.</summary>
    public System.IO.Pipelines.PipeReader Input => _input;

    /// <summary>The same.</summary>
    internal ReceivedBody Body => _input;

    /// <summary>The data that goes.</summary>
    public System.IO.Pipelines.PipeWriter Output => _output;

    /// <summary>Whether its first window is reserved in its connection's budget, from when it is accepted.</summary>
    internal bool HasWindow { get; private set; }

    /// <summary>The connection that carries it, if there is one.</summary>
    internal CallConnection? Carrier => _connection;

    /// <summary>The connection that carries it.</summary>
    public CallConnection Connection => _connection!;

    /// <summary>Names the connection. Before anything is sent or received.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="hasWindow">Whether its first window is reserved there, and has to be given back.</param>
    public void Attach(CallConnection connection, bool hasWindow = false)
    {
        _connection = connection;
        HasWindow = hasWindow;

        // Last: the heartbeat may look at a pooled call that it has found earlier, and must not find it on with what it was before.
        Volatile.Write(ref _isOn, true);
    }

    /// <summary>Undoes <see cref="Attach"/> for a call that was given no id.</summary>
    public void Detach() => _isOn = false;

    /// <summary>Whether this side is done with what has that id on a connection, so that its slot is free.</summary>
    public bool HasLeft(CallConnection connection, uint id)
    {
        // Whoever sends the end has the gate until it is noted here, which the peer may outrun.
        lock (_gate)
        {
            return !IsStill(connection, id);
        }
    }

    /// <summary>Ends the call because its connection is lost. By the thread that receives, after its last look.</summary>
    public void Lose(Exception exception)
    {
        lock (_gate)
        {
            if (!_isOn)
            {
                // Somebody else makes it leave at this moment.
                return;
            }

            // From here on nothing is sent, so that the memory may go. Who writes before the failure is noted must not learn of it
            // earlier than who waits.
            _isOn = false;
            if (_failure == Failure.None)
            {
                _failure = Failure.Expected;
            }

            DropUnsent();
        }

        try
        {
            Fail(CallError.Internal, exception);
        }
        catch
        {
            _input.Fail(exception, byPeer: true);
            throw;
        }
        finally
        {
            // Where the call makes nothing of it, or has thrown.
            TellUnlessNoted();
            Leave();
        }
    }

    /// <summary>
    /// Whether its reader and its writer have ended what they began. One that has not, since it went on beyond the end of its
    /// call, must not come upon the next one. Once input and output are completed and the call has left.
    /// </summary>
    public bool IsUnused => _input.IsUnused && _flush.IsTaken;

    /// <summary>Makes the call as new. Its input and output have to be completed, and it has to have left.</summary>
    public void Reuse()
    {
        _connection = null;
        _hasSentEnd = false;
        _hasReceivedEnd = false;
        _hasFailed = false;
        _failure = Failure.None;
        ReuseReceiving();
        ReuseSending();
        ReuseWaiting();
    }

    /// <summary>The reader of the input is about to be shown data, or why there is none. Under the gate of the input.</summary>
    internal void CheckRead(long total) => _owner.OnRead(total);

    /// <summary>Whether this is what has that id on a connection. Under the gate: then it stays so until that is left.</summary>
    private bool IsStill(CallConnection connection, uint id) => _isOn && connection.Has(this, id);

    /// <summary>Whether both sides have ended. Under the gate; whoever gets a yes has to leave when it has left that.</summary>
    private bool TryLeave()
    {
        if (!_isOn || !_hasSentEnd || !_hasReceivedEnd || _isReceivingReset)
        {
            return false;
        }

        _isOn = false;
        return true;
    }

    private void LeaveIf(bool leaves)
    {
        if (leaves)
        {
            Leave();
        }
    }

    private void Leave(bool byReceiver = false)
    {
        _connection!.Remove(this);
        _input.Leave();
        _owner.OnLeft(byReceiver);
    }
}
