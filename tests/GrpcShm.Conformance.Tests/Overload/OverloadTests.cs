using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.Conformance.Tests.Modes;
using GrpcShm.TestHost;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.Overload;

/// <summary>
/// One process has no memory or no descriptors left, and the other one has. A new client gets the reason at once,
/// connected clients are still served, and when the lack is over, all is as before.
/// </summary>
public sealed class OverloadTests : IDisposable
{
    private const int NotPermitted = 1;
    private const int NoMemory = 12;
    private const int TooManyInSystem = 23;
    private const int TooManyInProcess = 24;
    private const int NoSpace = 28;
    private const int TooManyInFlight = 109;

    private readonly TempDirectory _directory = new();
    private readonly SharedMemoryHttp2Mode _mode = new();

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("accept", TooManyInProcess)]
    [InlineData("accept", TooManyInSystem)]
    [InlineData("accept", NoMemory)]
    [InlineData("watch", NoSpace)]
    [InlineData("watch", NoMemory)]
    [InlineData("allocate", NoSpace)]
    [InlineData("allocate", NoMemory)]
    [InlineData("allocate", TooManyInProcess)]
    [InlineData("allocate", TooManyInFlight)]
    [InlineData("doorbell", TooManyInProcess)]
    [InlineData("watch", NotPermitted)]
    [InlineData("allocate", NotPermitted)]
    [InlineData("doorbell", NotPermitted)]
    public async Task Server_LacksSomething_RefusesNewClientsWithAReasonAndServesTheOthersOn(string step, int error)
    {
        await using var server = await StartServerAsync();
        await using var client = await StartClientAsync(server);
        await SucceedsAsync(client, "kept");
        await TellAsync(server.Process, string.Create(CultureInfo.InvariantCulture, $"fail {step} {error}"));
        if (step is "allocate" or "doorbell")
        {
            await UseSpareAsync(client);
        }

        await FailsAsync(client, $"errno {error}", "refused");
        await SucceedsAsync(client, "kept");

        await TellAsync(server.Process, "fail none");
        await SucceedsAsync(client, "new");
        await SucceedsAsync(client, "kept");
    }

    [Theory]
    [InlineData("connect", TooManyInProcess)]
    [InlineData("watch", NoSpace)]
    [InlineData("receive", TooManyInProcess)]
    [InlineData("map", NoMemory)]
    [InlineData("connect", NotPermitted)]
    [InlineData("watch", NotPermitted)]
    [InlineData("receive", NotPermitted)]
    [InlineData("map", NotPermitted)]
    public async Task Client_LacksSomething_SaysWhatAndGoesOnWithWhatItHas(string step, int error)
    {
        await using var server = await StartServerAsync();
        await using var client = await StartClientAsync(server);
        await SucceedsAsync(client, "kept");
        await TellAsync(client, string.Create(CultureInfo.InvariantCulture, $"fail {step} {error}"));

        await FailsAsync(client, $"errno {error}");
        if (step != "receive")
        {
            await SucceedsAsync(client, "kept");
        }

        await TellAsync(client, "fail none");
        await SucceedsAsync(client, "new");
        await SucceedsAsync(client, "kept");
    }

    [Fact]
    public async Task Client_ReactorFails_SaysWhyAndGoesOnWithAnother()
    {
        await using var server = await StartServerAsync();
        await using var client = await StartClientAsync(server);
        await SucceedsAsync(client, "kept");
        await TellAsync(client, string.Create(CultureInfo.InvariantCulture, $"fail wait {NotPermitted}"));

        // A call may be answered before the reactor waits again.
        string[] sentence = ["GrpcShm reactor", $"errno {NotPermitted}"];
        await TimeLimit.UntilAsync(() => FailsAsync(client, times: 1, sentence));
        await TimeLimit.UntilAsync(() => FailsAsync(client, times: 1, sentence));

        await TellAsync(client, "fail none");
        await SucceedsAsync(client, "new");
        await SucceedsAsync(client, "kept");
    }

    [Fact]
    public async Task Server_ReactorFails_ItLivesAndServesOnWithAnother()
    {
        await using var server = await StartServerAsync();
        await using var client = await StartClientAsync(server);
        await SucceedsAsync(client, "kept");
        await TellAsync(server.Process, string.Create(CultureInfo.InvariantCulture, $"fail wait {NotPermitted}"));

        // The call may be answered before the server waits again, and a server that accepts no client does not fail
        // visibly at once. The test checks that no call fails in another way, and that all calls succeed afterwards.
        var message = await AttemptAsync(client, "kept");
        Assert.True(
            message.Kind == HostMessage.Done || message.Errors[0] == nameof(StatusCode.Unavailable),
            string.Join(": ", message.Errors));

        await TellAsync(server.Process, "fail none");
        await TimeLimit.UntilAsync(async () => (await AttemptAsync(client, "new")).Kind == HostMessage.Done);
        await SucceedsAsync(client, "new");
        await SucceedsAsync(client, "kept");
    }

    [Fact]
    public async Task Server_HasNoDescriptorLeft_SaysSoEachTime()
    {
        await using var server = await StartServerAsync();
        await using var client = await StartClientAsync(server);
        await SucceedsAsync(client, "kept");

        // This is done several times: the server can refuse only by a descriptor that it keeps for this, and must get
        // it back each time.
        for (var i = 0; i < 2; i++)
        {
            // The server has memory ready, so a client needs only one descriptor. Any connection that closes, however
            // late, frees some.
            await TimeLimit.UntilAsync(async () =>
            {
                await TellAsync(server.Process, "descriptors take");
                return await FailsAsync(client, times: 5, $"errno {TooManyInProcess}", "refused");
            });

            await SucceedsAsync(client, "kept");

            await TellAsync(server.Process, "descriptors give");
            await SucceedsAsync(client, "new");
        }
    }

    [Fact]
    public async Task Server_MayNotMakeFilesOfThatSize_RefusesInsteadOfDyingOfASignal()
    {
        const int TooLarge = 27;
        await using var server = await StartServerAsync();
        await using var client = await StartClientAsync(server);
        await SucceedsAsync(client, "kept");

        await TellAsync(server.Process, "file-size 262144");
        await UseSpareAsync(client);
        await FailsAsync(client, $"errno {TooLarge}", "refused");
        await SucceedsAsync(client, "kept");

        await TellAsync(server.Process, "file-size 16777216");
        await SucceedsAsync(client, "new");
    }

    [Fact]
    public async Task Client_HasNoDescriptorLeft_SaysSo()
    {
        await using var server = await StartServerAsync();
        await using var client = await StartClientAsync(server);
        await SucceedsAsync(client, "kept");
        await SucceedsAsync(client, "new");
        await TellAsync(client, "fail connect 24");
        await FailsAsync(client, $"errno {TooManyInProcess}");
        await TellAsync(client, "fail none");

        await TellAsync(client, "descriptors take");
        await FailsAsync(client, $"errno {TooManyInProcess}");
        await SucceedsAsync(client, "kept");

        await TellAsync(client, "descriptors give");
        await SucceedsAsync(client, "new");
    }

    [Fact]
    public async Task Server_WasShortOfEverything_KeepsNothingOfWhatItRefused()
    {
        await using var server = await StartServerAsync();
        await using var client = await StartClientAsync(server);
        await SucceedsAsync(client, "kept");
        await RefuseAllAsync(1);
        var before = ProcessResources.Of(server.Process.Id);

        await RefuseAllAsync(20);

        await TimeLimit.UntilAsync(() => Task.FromResult(
            ProcessResources.Of(server.Process.Id)
                .IsWithin(before, new ProcessResources(Descriptors: 5, Mappings: 100, Threads: 12))));

        async Task RefuseAllAsync(int times)
        {
            foreach (var fault in (string[])["watch 28", "allocate 28", "doorbell 24"])
            {
                await TellAsync(server.Process, "fail " + fault);
                await UseSpareAsync(client);
                for (var i = 0; i < times; i++)
                {
                    await FailsAsync(client, "errno", "refused");
                }
            }

            await TellAsync(server.Process, "fail none");
            await SucceedsAsync(client, "new");
        }
    }

    [Fact]
    public async Task Server_HasAllTheConnectionsItMayHave_CutsTheNextOffUntilOneGoes()
    {
        // Kestrel counts the connections of each endpoint.
        await using var server = await StartServerAsync("--max-connections", "1");
        await using (var first = await StartClientAsync(server))
        {
            await SucceedsAsync(first, "kept");
            await using var second = await StartClientAsync(server);
            await FailsAsync(second, "");
            await SucceedsAsync(first, "kept");
        }

        await using var third = await StartClientAsync(server);
        await TimeLimit.UntilAsync(async () => (await AttemptAsync(third, "new")).Kind == HostMessage.Done);
    }

    [Fact]
    public async Task Client_NeverReads_HoldsUpNobodyElseAndCostsABoundedAmount()
    {
        await using var server = await StartServerAsync();
        using var channel = server.CreateChannel();
        var client = new TestService.TestServiceClient(channel);
        var endless = new ProduceRequest { Pieces = { new Piece { Size = 64 * 1024 } }, Forever = true };
        using var unread = client.Produce(endless, new CallOptions(cancellationToken: TestToken));
        await unread.ResponseHeadersAsync.InTime();

        // In the time of these calls a server without a limit sends hundreds of megabytes.
        await CallManyAsync(2_000);

        // The unread data is limited by HTTP/2's windows, the rings, and the few blocks of a pipe.
        var stats = await server.Control.StatsAsync(
            new Empty(), new CallOptions(cancellationToken: TestToken)).InTime();
        Assert.InRange(stats.BytesProduced, 1, 16L << 20);

        async Task CallManyAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                await client.NothingAsync(new Empty(), new CallOptions(cancellationToken: TestToken)).InTime();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _directory.Dispose();

    private static async Task TellAsync(HostProcess process, string command)
    {
        await process.WriteAsync(command);
        await process.ReadAsync(HostMessage.Done);
    }

    private static async Task<HostMessage> AttemptAsync(HostProcess client, string which)
    {
        await client.WriteAsync(which);
        return await client.ReadAsync();
    }

    private static async Task SucceedsAsync(HostProcess client, string which)
    {
        var message = await AttemptAsync(client, which);
        Assert.True(message.Kind == HostMessage.Done, string.Join(": ", message.Errors));
    }

    /// <summary>Connects a client that uses the memory that the server may have made before the lack began.</summary>
    private static Task<HostMessage> UseSpareAsync(HostProcess client) => AttemptAsync(client, "new");

    private static async Task FailsAsync(HostProcess client, params string[] sentence) =>
        Assert.True(await FailsAsync(client, times: 1, sentence), "It did not fail.");

    /// <summary>True if this number of calls in a row fails, each with these words.</summary>
    private static async Task<bool> FailsAsync(HostProcess client, int times, params string[] sentence)
    {
        for (var i = 0; i < times; i++)
        {
            var message = await AttemptAsync(client, "new");
            if (message.Kind != HostMessage.Failed)
            {
                return false;
            }

            Assert.Equal(nameof(StatusCode.Unavailable), message.Errors[0]);
            Assert.All(sentence, part => Assert.Contains(part, message.Errors[1], StringComparison.Ordinal));
        }

        return true;
    }

    private Task<ServerHandle> StartServerAsync(params string[] arguments) =>
        ServerHandle.StartAsync(_mode, _directory, "server", ["--faults", .. arguments]);

    private Task<HostProcess> StartClientAsync(ServerHandle server) =>
        HostProcess.StartAsync(
        [
            "call",
            "--address", server.Address.ToString(),
            "--scenario", "attempt",
            .. _mode.GetClientArguments(_directory),
        ]);
}
