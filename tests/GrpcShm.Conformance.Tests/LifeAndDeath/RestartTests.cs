using System.Diagnostics;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.Conformance.Tests.Modes;
using GrpcShm.TestHost;
using GrpcShm.TestHost.Calling;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.LifeAndDeath;

/// <summary>Servers that are replaced by others while clients go on calling. No client notices it.</summary>
public abstract class RestartTests(TransportMode mode) : IDisposable
{
    private static readonly RestartLoad Load = RestartLoad.Chosen;

    // A new server starts and an old one ends its calls while the clients keep the machine busy.
    private static readonly TimeSpan ReplacementTime = TimeSpan.FromMinutes(10);

    private readonly TempDirectory _directory = new();

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    private ClientSetup Patient { get; } = new()
    {
        ConfigureSharedMemory = options => options.WaitForServer = ReplacementTime,
    };

    [Fact]
    public async Task Replace_UnderLoad_NoCallFails()
    {
        var current = await StartServerAsync();
        try
        {
            using var channel = current.CreateChannel(Patient);
            await using var load = new PacedLoad(new TestService.TestServiceClient(channel));
            for (var i = 0; i < Load.Restarts; i++)
            {
                await load.WhenAnsweredAsync(Load.CallsBetween);
                current = await ReplaceAsync(current, channel);
            }

            await load.StopAsync();
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{load.Answered} calls in {load.Elapsed.TotalSeconds:F1} s, "
                + $"{load.Answered / load.Elapsed.TotalSeconds:F0} a second.");
            var failures = load.Failures.DistinctBy(failure => failure[..Math.Min(200, failure.Length)]).Take(5);
            Assert.True(
                load.Failures.Count == 0,
                $"{load.Failures.Count} calls failed: {string.Join(Environment.NewLine, failures)}");
        }
        finally
        {
            await current.DisposeAsync();
        }
    }

    [Fact]
    public async Task Replace_InContainersThatShareOnlyTheSocketsFolder_NoCallFails()
    {
        var address = mode.CreateAddress(_directory, "server").ToString();
        string[] serve =
            ["serve", "--listen", address, "--wait-for-name", "00:01:00", .. mode.GetServerArguments(_directory)];
        await using var first = await StartContainedAsync(serve);

        // This is shorter than the test itself waits. At the end there is no server any more, and a call that may be
        // sent again waits this long for each attempt.
        await using var client = await StartContainedAsync(
        [
            "call", "--scenario", "exchange", "--address", address, "--wait-for-server", "00:00:20",
            .. mode.GetClientArguments(_directory),
        ]);

        // The last call is one that may be sent twice, since a stream cannot move to another server when some messages
        // are sent.
        foreach (var kind in Exchanges.Kinds.Reverse())
        {
            await client.WriteAsync($"run {kind}");
            await client.ReadAsync(HostMessage.Round);
        }

        // The log says when the second server waits for the name, so that only the change of servers takes time.
        await using var second = HostProcess.StartContained(
            _directory.Path, [.. serve, "--log-level", nameof(Microsoft.Extensions.Logging.LogLevel.Information)]);
        await TimeLimit.UntilAsync(
            () => second.Log.Contains("Waiting up to", StringComparison.Ordinal), () => second.Log);
        await first.StopAsync();
        await second.WhenReadyAsync();

        // An answer from before may still be on its way.
        await client.ReadAsync(HostMessage.Round);
        await client.ReadAsync(HostMessage.Round);
        await second.KillAsync();
        HostMessage last;
        while ((last = await client.ReadAsync()).Kind == HostMessage.Round)
        {
            // Calls that were open when the server was killed.
        }

        Assert.Equal(HostMessage.Failed, last.Kind);
        Assert.Contains(last.Errors, error => error.Contains("Unavailable", StringComparison.Ordinal));
        await client.WaitForExitAsync();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _directory.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A new server takes over the name of a server that has an open call. This call ends well.</summary>
    private async Task<ServerHandle> ReplaceAsync(ServerHandle current, TestChannel channel)
    {
        using var slow = new TestService.TestServiceClient(channel).WaitAsync(
            new WaitRequest { Gate = "replaced", SendHeadersFirst = true }, cancellationToken: TestToken);
        await slow.ResponseHeadersAsync.InTime();
        var next = StartServerAsync();
        await current.Process.RequestStopAsync();
        var successor = await next;
        await current.Process.WriteAsync("open replaced");
        await slow.InTime();
        await current.Process.ReadAsync(HostMessage.Stopped);
        Assert.Equal(0, await current.Process.WaitForExitAsync());
        await current.DisposeAsync();
        return successor;
    }

    private Task<HostProcess> StartContainedAsync(params IEnumerable<string> arguments) =>
        HostProcess.StartContainedAsync(_directory.Path, arguments);

    private Task<ServerHandle> StartServerAsync() => ServerHandle.StartAsync(
        mode,
        _directory,
        "server",
        "--wait-for-name", $"{ReplacementTime}",
        "--shutdown-timeout", $"{ReplacementTime}");

    /// <summary>Unary calls at fixed times, however long the calls before them take.</summary>
    private sealed class PacedLoad : IAsyncDisposable
    {
        private readonly TestService.TestServiceClient _client;
        private readonly CancellationTokenSource _stopping = new();
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private readonly List<string> _failures = [];
        private readonly SemaphoreSlim _room = new(Load.MostUnderWay);
        private readonly Task _calling;
        private long _answered;

        public PacedLoad(TestService.TestServiceClient client)
        {
            _client = client;
            _calling = Task.Run(CallOnAsync);
        }

        public long Answered => Interlocked.Read(ref _answered);

        public TimeSpan Elapsed => _clock.Elapsed;

        public List<string> Failures => _failures;

        /// <summary>Waits until this number of further calls has been answered, or a call has failed.</summary>
        public async Task WhenAnsweredAsync(int count)
        {
            var goal = Answered + count;
            while (Answered < goal && !HasFailed)
            {
                // Only a standstill is limited: how long all of them take depends on the machine.
                var before = Answered;
                await TimeLimit.UntilAsync(() => Answered > before || HasFailed);
            }
        }

        public async Task StopAsync()
        {
            await _stopping.CancelAsync();
            await _calling.InTime();
            for (var i = 0; i < Load.MostUnderWay; i++)
            {
                await _room.WaitAsync(TestToken).InTime();
            }

            _clock.Stop();
        }

        public async ValueTask DisposeAsync()
        {
            await _stopping.CancelAsync();
            await _calling.InTime();
            _stopping.Dispose();
        }

        private bool HasFailed
        {
            get
            {
                lock (_failures)
                {
                    return _failures.Count > 0;
                }
            }
        }

        private async Task CallOnAsync()
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
            long begun = 0;
            while (!_stopping.IsCancellationRequested)
            {
                while (begun < _clock.Elapsed.TotalSeconds * Load.CallsPerSecond
                    && _room.Wait(0, CancellationToken.None))
                {
                    begun++;
                    _ = CallAsync();
                }

                await timer.WaitForNextTickAsync(CancellationToken.None);
            }
        }

        private async Task CallAsync()
        {
            try
            {
                var body = TestBody.Create(64, seed: 1);
                var response = await _client.UnaryAsync(
                    new UnaryRequest { Body = body, Response = new Piece { Size = 64, Seed = 1 } },
                    cancellationToken: CancellationToken.None);
                Assert.Equal(body, response.Body);
                Interlocked.Increment(ref _answered);
            }
            catch (Exception exception)
            {
                lock (_failures)
                {
                    _failures.Add(exception.ToString());
                }
            }
            finally
            {
                _room.Release();
            }
        }
    }
}
