using Grpc.Core;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.Conformance.Tests.Modes;
using GrpcShm.TestHost;
using GrpcShm.TestHost.Calling;
using GrpcShm.TestHost.Contracts;
using GrpcShm.Transport;

namespace GrpcShm.Conformance.Tests.RunToCompletion;

/// <summary>
/// Handlers and continuations run on the thread that took their frames off the ring. Whatever they do to this thread,
/// on one side or on both, all other calls of the connection go on.
/// </summary>
public sealed class RunToCompletionTests : IAsyncLifetime
{
    private const string Reactor = "GrpcShm reactor";

    private static readonly AsyncLocal<string?> Left = new();

    private readonly TempDirectory _directory = new();
    private readonly SharedMemoryDirectMode _mode = new();
    private ServerHandle? _server;
    private TestChannel? _channel;
    private Threads.ThreadsClient? _client;

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    private ServerHandle Server => _server!;

    private Threads.ThreadsClient Client => _client!;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _server = await ServerHandle.StartAsync(_mode, _directory, "threads");
        Connect(RunMode.Adaptive);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using (_directory)
        {
            _channel?.Dispose();
            if (_server is not null)
            {
                await _server.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task ShortCall_OnBothSides_RunsOnTheReactor()
    {
        // Not every call does: a call that a busy machine has delayed runs elsewhere for a while.
        await TimeLimit.UntilAsync(
            async () => (await MarkAsync()).Thread.StartsWith(Reactor, StringComparison.Ordinal));
        await TimeLimit.UntilAsync(IsContinuedOnReactorAsync);
    }

    [Theory]
    [InlineData("Block")]
    [InlineData("Spin")]
    public async Task Handler_HoldsItsThread_OthersOfItsConnectionAreServed(string how)
    {
        await using var holds = new Holds(this);
        for (var i = 0; i < 3; i++)
        {
            // The thread that takes over is blocked as well.
            await holds.StartAsync(how);
            await AssertServesAsync();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Continuation_HoldsItsThread_OthersOfItsConnectionGoOn(bool spins)
    {
        Connect(RunMode.Inline);
        using var go = new ManualResetEventSlim();
        var held = new List<Task>();
        for (var i = 0; i < 3; i++)
        {
            held.Add(await HoldReactorAsync(() =>
            {
                while (spins && !go.IsSet)
                {
                    Thread.SpinWait(100);
                }

                Assert.True(go.Wait(TimeLimit.Value));
            }));
            await AssertServesAsync();
        }

        go.Set();
        await Task.WhenAll(held).InTime();
    }

    [Fact]
    public async Task Continuation_WaitsForACallOfItsConnection_IsAnswered()
    {
        Connect(RunMode.Inline);
        var held = await HoldReactorAsync(() => Client.Mark(new MarkRequest(), Call()));
        await held.InTime();
        await AssertServesAsync();
    }

    [Fact]
    public async Task Handler_WaitsForACallOfItsConnection_ReceivesIt()
    {
        await using var holds = new Holds(this);
        await holds.StartAsync("Block");
        await holds.OpenAsync().InTime();
    }

    [Fact]
    public async Task BothSides_WaitForCallsOfTheirConnectionAtOnce_AllEnd()
    {
        Connect(RunMode.Inline);
        var held = new List<Task>();
        var gates = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            var id = Guid.NewGuid().ToString("N");
            gates.Add(id);
            held.Add(await HoldReactorAsync(() => Client.Block(new HoldRequest { Gate = id }, Call(id))));
            await Server.WhenCallAsync(id, CallPhase.Started);
        }

        // Each gate is opened by a call in a continuation, which then waits for this call.
        foreach (var gate in gates)
        {
            held.Add(await HoldReactorAsync(() => Client.Open(new HoldRequest { Gate = gate }, Call())));
        }

        await Task.WhenAll(held).InTime();
        await AssertServesAsync();
    }

    [Fact]
    public async Task Handlers_ComputeFor5MillisecondsEach_RunInParallelAndOthersAreServed()
    {
        await TimeLimit.UntilAsync(async () =>
        {
            var burns = Enumerable.Range(0, 64)
                .Select(_ => Client.BurnAsync(new BurnRequest { Milliseconds = 5 }, Call()).ResponseAsync)
                .ToList();
            await AssertServesAsync();
            var responses = await Task.WhenAll(burns);
            return responses.Max(response => response.AtOnce) >= Math.Min(2, Environment.ProcessorCount);
        });
    }

    [Fact]
    public async Task Handler_LeavesMarksOnItsThread_NoOtherFindsThem()
    {
        var responses = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => MarkAsync())).InTime();

        Assert.All(responses, response => Assert.Equal("", response.Found));
    }

    [Fact]
    public async Task Continuation_LeavesMarksOnItsThread_NoOtherFindsThem()
    {
        for (var i = 0; i < 200; i++)
        {
            Assert.Null(await LeaveMarkAsync().InTime());
        }
    }

    /// <summary>
    /// Connects again. The mode is inline if a test blocks the reactor again and again; otherwise the reactor would
    /// learn this, and run later calls elsewhere.
    /// </summary>
    private void Connect(RunMode mode)
    {
        _channel?.Dispose();
        _channel = Server.CreateChannel(new() { ConfigureSharedMemory = options => options.RunMode = mode });
        _client = new Threads.ThreadsClient(_channel);
    }

    private static CallOptions Call(string? id = null) =>
        new(id is null ? null : new Metadata { { MetadataKeys.CallId, id } }, cancellationToken: TestToken);

    private Task<MarkResponse> MarkAsync() =>
        Client.MarkAsync(new MarkRequest { Mark = "a mark" }, Call()).ResponseAsync.InTime();

    /// <summary>Leaves a mark on the thread that continues a call.</summary>
    /// <returns>The mark that was there before.</returns>
    private Task<string?> LeaveMarkAsync()
    {
        var found = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);

        // Unlike an await, this does not restore an execution context: it runs in the context of the thread.
        var answer = Client.MarkAsync(new MarkRequest(), Call()).ResponseAsync.ConfigureAwait(false).GetAwaiter();
        answer.UnsafeOnCompleted(() =>
        {
            found.SetResult(Left.Value);
            Left.Value = "left behind";
        });
        return found.Task;
    }

    private async Task AssertServesAsync()
    {
        for (var i = 0; i < 20; i++)
        {
            await MarkAsync();
        }
    }

    private async Task<bool> IsContinuedOnReactorAsync()
    {
        await Client.MarkAsync(new MarkRequest(), Call()).ConfigureAwait(false);
        return IsOnReactor();
    }

    private static bool IsOnReactor() =>
        Thread.CurrentThread.Name?.StartsWith(Reactor, StringComparison.Ordinal) == true;

    /// <summary>Runs an action on the reactor of this process, as the continuation of a call.</summary>
    /// <returns>When the action has begun, a task that ends with it.</returns>
    private async Task<Task> HoldReactorAsync(Action action)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var held = RunAsync();
        await Task.WhenAny(begun.Task, held).InTime();
        return held;

        async Task RunAsync()
        {
            await TimeLimit.UntilAsync(async () =>
            {
                await Client.MarkAsync(new MarkRequest(), Call()).ConfigureAwait(false);
                if (!IsOnReactor())
                {
                    return false;
                }

                begun.SetResult();
                action();
                return true;
            }).ConfigureAwait(false);
        }
    }

    /// <summary>Calls that block a thread of the server, until this object is disposed of.</summary>
    private sealed class Holds(RunToCompletionTests test) : IAsyncDisposable
    {
        private readonly string _gate = Guid.NewGuid().ToString("N");
        private readonly List<Task> _calls = [];

        public async Task StartAsync(string how)
        {
            var id = Guid.NewGuid().ToString("N");
            var request = new HoldRequest { Gate = _gate };
            var call = how == "Block"
                ? test.Client.BlockAsync(request, Call(id))
                : test.Client.SpinAsync(request, Call(id));
            _calls.Add(call.ResponseAsync);
            await test.Server.WhenCallAsync(id, CallPhase.Started);
        }

        public async Task OpenAsync()
        {
            await test.Client.OpenAsync(new HoldRequest { Gate = _gate }, Call());
            await Task.WhenAll(_calls);
        }

        public async ValueTask DisposeAsync() => await OpenAsync().InTime();
    }
}
