using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// One call on a connection in direct mode, as either side sees it: a block of headers, data, and a block of
/// trailers in each direction. Knows nothing of HTTP: what the blocks mean is for those who derive from it.
/// </summary>
/// <remarks>
/// <para>Each side ends its direction once: by a message with the flag End, or by a reset. A call leaves its connection
/// when both sides have ended; a side that has been told of the end and is not at its own yet answers with a reset.</para>
/// <para>What is received is handled by the thread that has the turn on the connection (<c>Receive…</c>, <c>On…</c>): it
/// puts things where their readers find them, and never waits, nor runs foreign code, which is left to
/// <see cref="ReactorWork"/>. What is sent is sent by any thread under the gate, which is never held over foreign
/// code, either.</para>
/// </remarks>
internal abstract partial class Call
{
    private readonly Lock _gate = new();
    private readonly ReceivedBody _input;
    private readonly SentBody _output;
    private CallConnection? _connection;
    private bool _hasSentEnd;
    private bool _hasReceivedEnd;
    private bool _isLost;
    private bool _hasLeft;

    protected Call(RunProfile profile)
    {
        Profile = profile;
        _input = new ReceivedBody(this);
        _output = new SentBody(this);
        _flush = new FlushOperation(this);
    }

    /// <summary>The id on the connection; the table's to set.</summary>
    public uint Id { get; set; }

    /// <summary>Where what this call leads to runs.</summary>
    public RunProfile Profile { get; protected set; }

    /// <summary>The data that comes.</summary>
    public System.IO.Pipelines.PipeReader Input => _input;

    /// <summary>The data that goes.</summary>
    public System.IO.Pipelines.PipeWriter Output => _output;

    /// <summary>The connection that carries it.</summary>
    protected CallConnection Connection => _connection!;

    /// <summary>
    /// Whether it was the thread that receives who found that both sides have ended, so that it has no further use for
    /// the call. In <see cref="OnLeft"/>.
    /// </summary>
    protected bool IsLeftByReceiver { get; private set; }

    /// <summary>Names the connection. Before anything is sent or received.</summary>
    public void Attach(CallConnection connection) => _connection = connection;

    /// <summary>Ends the call because its connection is lost. Any thread.</summary>
    public void Lose(Exception exception)
    {
        lock (_gate)
        {
            // From here on nothing is sent, so that the memory may go.
            _isLost = true;
            DropOutput();
        }

        Fail(CallError.Internal, exception);
        Leave();
    }

    /// <summary>A block of headers has come. Reads all of it.</summary>
    protected abstract void OnHeaders(ref HeaderReader headers);

    /// <summary>A block of trailers has come. Reads all of it.</summary>
    protected abstract void OnTrailers(ref HeaderReader trailers);

    /// <summary>All parts of a message have been handled.</summary>
    /// <param name="hasEnded">Whether it was the last.</param>
    protected abstract void OnReceived(bool hasEnded);

    /// <summary>The peer has reset the call, or the connection is lost. Comes once, and not after the end was received.</summary>
    protected abstract void OnFailed(CallError error, Exception exception);

    /// <summary>The reader is about to be shown data. Throws if it is more than it may be.</summary>
    /// <param name="total">How many bytes there are of it by now, those consumed before included.</param>
    protected virtual void OnRead(long total)
    {
    }

    /// <summary>
    /// The call has left the connection: nothing more is sent or received, and it may be used for another once its
    /// own users are done.
    /// </summary>
    protected virtual void OnLeft()
    {
    }

    /// <summary>Makes the call as new. Its input and output have to be completed, and it has to have left.</summary>
    protected void Reuse()
    {
        _connection = null;
        _hasSentEnd = false;
        _hasReceivedEnd = false;
        _isLost = false;
        _hasLeft = false;
        IsLeftByReceiver = false;
        ReuseReceiving();
        ReuseSending();
    }

    /// <summary>For the input, which is not derived from this.</summary>
    internal void CheckRead(long total) => OnRead(total);

    private void Fail(CallError error, Exception exception)
    {
        _input.Fail(exception);
        _flush.Wake();
        OnFailed(error, exception);
    }

    private void Leave(bool byReceiver = false)
    {
        // The connection may be lost just when both sides have ended.
        if (!Interlocked.Exchange(ref _hasLeft, true))
        {
            IsLeftByReceiver = byReceiver;
            _connection!.Remove(this);
            OnLeft();
        }
    }
}
