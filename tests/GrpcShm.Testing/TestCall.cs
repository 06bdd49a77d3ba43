using System.Buffers;
using System.IO.Pipelines;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Testing;

/// <summary>A call on either side that records its events, and fails if an event comes twice.</summary>
internal sealed class TestCall : ICallStreamOwner
{
    private readonly Func<TestCall, Task>? _handler;
    private readonly HandlerWork? _work;
    private readonly TaskCompletionSource<List<(string Name, string Value)>> _headers =
        Create<List<(string, string)>>();
    private readonly TaskCompletionSource<List<(string Name, string Value)>> _trailers =
        Create<List<(string, string)>>();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<(CallError Error, Exception Exception)> _failed =
        Create<(CallError, Exception)>();
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _handled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _timesLeft;
    private int _timesFailed;

    public TestCall(RunProfile? profile = null, Func<TestCall, Task>? handler = null)
    {
        Stream = new CallStream(this, profile ?? new RunProfile(RunMode.Adaptive));
        _handler = handler;
        _work = handler is null ? null : new HandlerWork(this);
    }

    /// <summary>The stream that carries the call.</summary>
    public CallStream Stream { get; }

    public uint Id => Stream.Id;

    public PipeReader Input => Stream.Input;

    public PipeWriter Output => Stream.Output;

    public bool IsInputTimed => false;

    public Task<List<(string Name, string Value)>> HeadersReceived => _headers.Task;

    public Task<List<(string Name, string Value)>> TrailersReceived => _trailers.Task;

    public Task EndReceived => _ended.Task;

    public Task<(CallError Error, Exception Exception)> Failed => _failed.Task;

    public Task Left => _left.Task;

    /// <summary>Completes when the handler has returned, with its exception if it threw one.</summary>
    public Task Handled => _handled.Task;

    public int TimesLeft => Volatile.Read(ref _timesLeft);

    public int TimesFailed => Volatile.Read(ref _timesFailed);

    /// <summary>Makes it throw where it must not, as a bug would.</summary>
    public bool FailsOnHeaders { get; init; }

    /// <summary>Makes it throw where it must not, as a bug would.</summary>
    public bool FailsOnFailed { get; init; }

    /// <summary>Makes its reader and its writer learn of a failure only when <see cref="Tell"/> is called.</summary>
    public bool TellsLater { get; set; }

    /// <summary>Runs when the call has failed, before the failure is noted or told.</summary>
    public Action? Failing { get; set; }

    public bool HoldsBack
    {
        set => Stream.Output.HoldsFlushes = value;
    }

    public CallConnection On => Stream.Connection;

    /// <summary>Notes a failure of its own.</summary>
    public void Note() => Stream.NoteFailure(new IOException("It has failed."), byPeer: false);

    /// <summary>Tells the noted failure to reader and writer.</summary>
    public void Tell() => Stream.TellFailure();

    public void SetHeaders(params ReadOnlySpan<(string Name, string Value)> fields) => Set(Stream.Headers, fields);

    public void SetTrailers(params ReadOnlySpan<(string Name, string Value)> fields) => Set(Stream.Trailers, fields);

    public void Reset(CallError error) => Stream.Reset(error);

    public void EndOutput() => Stream.Output.End();

    /// <summary>Sends the headers and, in the same frame if it fits, data.</summary>
    public Task SendAsync(ReadOnlyMemory<byte> data)
    {
        Output.Write(data.Span);
        return Output.FlushAsync(CancellationToken.None).InTime();
    }

    /// <summary>Reads and checks the whole input, which is the pattern from a position on.</summary>
    public async Task<long> ReadPatternAsync(long position)
    {
        var begin = position;
        while (true)
        {
            var result = await Input.ReadAsync(CancellationToken.None).InTime();
            foreach (var segment in result.Buffer)
            {
                Pattern.Verify(segment.Span, position);
                position += segment.Length;
            }

            Input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return position - begin;
            }
        }
    }

    /// <summary>Reads the whole input in one piece, as a reader of a whole message does.</summary>
    public async Task<byte[]> ReadWholeAsync()
    {
        while (true)
        {
            var result = await Input.ReadAsync(CancellationToken.None).InTime();
            if (result.IsCompleted)
            {
                var bytes = result.Buffer.ToArray();
                Input.AdvanceTo(result.Buffer.End);
                return bytes;
            }

            Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    public async Task WritePatternAsync(long position, long count, int piece)
    {
        for (var end = position + count; position < end;)
        {
            var size = (int)Math.Min(piece, end - position);
            if ((await Output.WriteAsync(Pattern.Take(position, size), CancellationToken.None).InTime()).IsCompleted)
            {
                return;
            }

            position += size;
        }
    }

    public void OnHeaders(ref HeaderReader headers)
    {
        if (FailsOnHeaders)
        {
            throw new InvalidDataException();
        }

        _headers.SetResult(ReadAll(ref headers));
    }

    public void OnTrailers(ref HeaderReader trailers) => _trailers.SetResult(ReadAll(ref trailers));

    public void OnReceived(bool hasEnded)
    {
        if (!_headers.Task.IsCompleted)
        {
            throw new InvalidOperationException("Something was received before the headers were whole.");
        }

        if (hasEnded)
        {
            _ended.SetResult();
        }

        // This comes last: the handler may check at once whether the end has come.
        _work?.Begin();
    }

    public void OnFailed(CallError error, Exception exception, bool byPeer)
    {
        Interlocked.Increment(ref _timesFailed);
        _failed.TrySetResult((error, exception));
        if (FailsOnFailed)
        {
            throw new InvalidDataException();
        }

        Failing?.Invoke();
        if (TellsLater)
        {
            Stream.NoteFailure(exception, byPeer);
        }
        else
        {
            Stream.FailBodies(exception, byPeer);
        }
    }

    public void OnData(int count, bool hasEnded)
    {
    }

    public void OnRefused(CallError error, Exception exception)
    {
    }

    public void OnRead(long total)
    {
    }

    public void OnOverdue(Overdue overdue, uint id)
    {
    }

    public void OnLeft(bool byReceiver)
    {
        Interlocked.Increment(ref _timesLeft);
        _left.TrySetResult();
    }

    private static TaskCompletionSource<T> Create<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static List<(string Name, string Value)> ReadAll(ref HeaderReader reader)
    {
        var fields = new List<(string, string)>();
        while (reader.Read())
        {
            fields.Add((reader.Name, reader.Value));
        }

        return fields;
    }

    private void Set(HeaderBlock block, ReadOnlySpan<(string Name, string Value)> fields)
    {
        block.Begin();
        foreach (var (name, value) in fields)
        {
            block.Add(name, value, On.SentPairs);
        }
    }

    private async Task HandleAsync()
    {
        try
        {
            await _handler!(this);
            _handled.SetResult();
        }
        catch (Exception exception)
        {
            Reset(CallError.Internal);
            _handled.SetException(exception);
        }
    }

    private sealed class HandlerWork(TestCall call) : ReactorWork
    {
        private bool _hasBegun;

        public override RunProfile Profile => call.Stream.Profile;

        public void Begin()
        {
            if (!_hasBegun)
            {
                _hasBegun = true;
                Schedule();
            }
        }

        public override void Run() => _ = call.HandleAsync();
    }
}
