using CsCheck;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>
/// Whatever happens to calls, as many bytes are reserved as they hold and may be sent, and in the end none.
/// </summary>
public sealed class ReceiveCreditTests : IAsyncLifetime
{
    private const int Calls = 6;
    private const int Limit = 1024 * 1024;

    private readonly TestEndPoint _endPoint = new();
    private readonly SharedBudget _shared = new(Limit * 3 / 4);
    private SharedMemoryConnection _client = null!;
    private SharedMemoryConnection _connection = null!;
    private CallConnection _server = null!;

    private enum Step
    {
        Data,
        LargeData,
        Drop,
        Look,
        Read,
        ReadAll,
        Complete,
        End,
        Reset,
        GiveUp,
    }

    private ConnectionBudget Budget => _server.Budget!;

    public async ValueTask InitializeAsync()
    {
        _endPoint.Settings = _endPoint.Settings with { Modes = static () => ConnectionModes.Calls };
        _endPoint.ConnectSettings = _endPoint.ConnectSettings with { Modes = ConnectionModes.Calls };
        _endPoint.Listen();
        (_client, _connection) = await _endPoint.ConnectPairAsync();

        // Not started: the test tells the calls what comes.
        _server = new CallConnection(
            _connection, new CallSettings { MaxBufferedBytes = Limit, SharedBudget = _shared }, null);
    }

    public async ValueTask DisposeAsync()
    {
        Budget.Close();
        Assert.Equal(0, _shared.Reserved);
        _client.Dispose();
        _connection.Dispose();
        await _endPoint.DisposeAsync();
    }

    [Fact]
    public void Reserved_AnySteps_IsWhatCallsHoldAndMayBeSentAndEndsAtZero() =>
        Gen.Select(Gen.Int[0, Calls - 1], Gen.Enum<Step>(), Gen.Int[1, 100])
            .Array[1, 200]
            .Sample(Run, iter: 5_000, threads: 1, print: static steps => string.Join(", ", steps));

    [Fact]
    public Task Reserved_ManyThreads_EndsAtZero() =>
        TimeLimit.OnThreads([.. Enumerable.Range(1, 4).Select(seed => (Action)(() =>
        {
            var random = new Random(seed);
            for (var round = 0; round < 300; round++)
            {
                if (!Budget.TryEnter())
                {
                    continue;
                }

                var call = new Driven(_server, hasWindow: true);
                for (var i = random.Next(40); i > 0; i--)
                {
                    call.Do((Step)random.Next(random.Next(6) == 0 ? 10 : 6), random.Next(1, 101));
                }

                call.Finish();
            }
        }))]).ContinueWith(
            finished =>
            {
                finished.GetAwaiter().GetResult();
                Assert.Equal((0, 0), Budget.Counts);
            },
            TestContext.Current.CancellationToken,
            TaskContinuationOptions.None,
            TaskScheduler.Default);

    [Fact]
    public void Extend_SmallCall_GrantsNothingAndReservesNothing()
    {
        Assert.True(Budget.TryEnter());
        var call = new Driven(_server, hasWindow: true);
        call.Body.Add(new byte[1000]);
        call.Body.Show();
        call.Do(Step.ReadAll, 100);
        Assert.Equal((CallSettings.FirstWindow - 1000, 0, 0, 0), call.Body.CreditCounts);
        call.Finish();
        Assert.Equal((0, 0), Budget.Counts);
    }

    [Fact]
    public void Extend_FirstDataOfALargeCall_GrantsTheWholeWindowAtOnce()
    {
        Assert.True(Budget.TryEnter());
        var call = new Driven(_server, hasWindow: true);
        call.Body.Add(new byte[20_000]);
        Assert.Equal(CallSettings.Window - 20_000, call.Body.CreditCounts.Unused);
        call.Finish();
        Assert.Equal((0, 0), Budget.Counts);
    }

    private void Run((int Call, Step Step, int Size)[] steps)
    {
        var calls = new List<Driven>();
        for (var i = 0; i < Calls; i++)
        {
            Assert.True(Budget.TryEnter());
            calls.Add(new Driven(_server, hasWindow: true));
        }

        foreach (var (call, step, size) in steps)
        {
            calls[call].Do(step, size);
            Verify(calls);
        }

        foreach (var call in calls)
        {
            call.Finish();
        }

        Assert.Equal((0, 0), Budget.Counts);
    }

    private void Verify(List<Driven> calls)
    {
        var (reserved, overdraft) = Budget.Counts;
        Assert.Equal(reserved, calls.Sum(static call => CallSettings.FirstWindow + call.Body.CreditCounts.Reserved));
        Assert.InRange(reserved - overdraft, 0, Limit);
        Assert.InRange(_shared.Reserved, 0, Limit * 3 / 4);
        foreach (var call in calls)
        {
            var (unused, held, _, growth) = call.Body.CreditCounts;
            Assert.InRange(unused, 0, CallSettings.Window);
            Assert.InRange(unused + held, 0, CallSettings.FirstWindow + growth);
        }

        // Some call can always go on: a call that waits does so because of an overdrawn call, or is that call itself.
        Assert.True(!calls.Exists(static call => call.IsStuck) || overdraft > 0);
    }

    /// <summary>A call whose peer and reader keep to the rules.</summary>
    private sealed class Driven
    {
        private bool _hasEnded;
        private bool _isCompleted;
        private bool _hasFailed;

        public Driven(CallConnection connection, bool hasWindow)
        {
            var call = new TestCall();
            call.Stream.Attach(connection, hasWindow);
            Body = call.Stream.Input;
        }

        public ReceivedBody Body { get; }

        public bool IsStuck =>
            !_hasEnded && !_isCompleted && !_hasFailed && Body.CreditCounts is { Unused: 0, Unseen: 0 };

        public void Do(Step step, int size)
        {
            switch (step)
            {
                case Step.Data or Step.LargeData or Step.Drop when !_hasEnded:
                    var most = Math.Min(Body.CreditCounts.Unused, step == Step.LargeData ? long.MaxValue : 30_000);
                    var data = new byte[most * size / 100];
                    Body.Add(data, isDropped: step == Step.Drop && _isCompleted);
                    Body.Show();
                    break;
                case Step.Look or Step.Read or Step.ReadAll
                    when !_isCompleted && !_hasFailed && Body.TryRead(out var result):
                    var consumed = step switch
                    {
                        Step.Look => 0,
                        Step.Read => result.Buffer.Length * size / 100,
                        _ => result.Buffer.Length,
                    };
                    Body.AdvanceTo(result.Buffer.GetPosition(consumed), result.Buffer.End);
                    break;
                case Step.Complete when size > 70:
                    _isCompleted = true;
                    Body.Complete();
                    break;
                case Step.End when !_hasEnded && size > 70:
                    _hasEnded = true;
                    Body.End([]);
                    break;
                case Step.Reset when !_hasEnded && size > 80:
                    _hasEnded = true;
                    _hasFailed = true;
                    Body.Fail(new IOException(), byPeer: true);
                    break;
                case Step.GiveUp when size > 80:
                    _hasFailed = true;
                    Body.Fail(new IOException(), byPeer: false);
                    break;
            }
        }

        /// <summary>Ends the parts that have not ended yet, in an order that depends on the steps before.</summary>
        public void Finish()
        {
            if (!_hasEnded)
            {
                Body.EndCredit();
            }

            if (_hasFailed)
            {
                Body.Complete();
                Body.Leave();
            }
            else
            {
                Body.Leave();
                Body.Complete();
            }
        }
    }
}
