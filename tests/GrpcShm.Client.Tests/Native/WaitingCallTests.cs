using System.Buffers;
using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcShm.Client.Tests.Direct;

namespace GrpcShm.Client.Tests.Native;

/// <summary>
/// Calls that begin before there is a connection are framed by the channel itself, too, and show their callers what
/// grpc-dotnet shows them.
/// </summary>
public sealed class WaitingCallTests
{
    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    public static TheoryData<string, MethodType> Cases => ParityTests.Cases();

    public static TheoryData<MethodType> Types => [.. Enum.GetValues<MethodType>()];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task FirstCall_AnsweredInAnyWay_LooksAsOverGrpcDotnet(string answer, MethodType type)
    {
        await using var server = new FakeServer(Answers.All[answer]);
        using var theirs = server.CreateChannel();
        using var ours = CreateChannel(server);

        var expected = await CallRecord.MakeAsync(theirs.CreateCallInvoker(), type, Responses.CallOptions);
        var actual = await CallRecord.MakeAsync(ours.CreateCallInvoker(), type, Responses.CallOptions);

        AssertAlike(expected, actual);
        Assert.StartsWith("grpcshm-dotnet/", server.LastUserAgent, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Call_WithoutAServer_FailsAsOverGrpcDotnet(MethodType type)
    {
        await using var server = new FakeServer(Responses.EchoAsync, listens: false);
        await CompareFailuresAsync(server, type);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Call_ThatAServerRefuses_FailsAsOverGrpcDotnet(MethodType type)
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        server.Options.AuthorizeServer = static _ => false;
        await CompareFailuresAsync(server, type);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Call_ThatWaitsForAServer_IsMadeWhenOneListens(MethodType type)
    {
        await using var server = new FakeServer(Responses.EchoAsync, listens: false);
        using var channel = CreateChannel(server);
        var options = Responses.CallOptions.WithWaitForReady();
        var record = CallRecord.MakeAsync(channel.CreateCallInvoker(), type, options);
        await channel.UntilAsync(ConnectivityState.TransientFailure);
        Assert.False(record.IsCompleted);

        server.Listen();

        Assert.Contains("status: OK", await record.InTime(), StringComparison.Ordinal);
        Assert.StartsWith("grpcshm-dotnet/", server.LastUserAgent, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Call_GivenUpWhileItWaits_LooksAsOverGrpcDotnet(MethodType type)
    {
        await using var server = new FakeServer(Responses.EchoAsync, listens: false);
        await CompareAsync(server, async invoker =>
        {
            using var source = new CancellationTokenSource();
            var options = new CallOptions(cancellationToken: source.Token).WithWaitForReady();
            var record = CallRecord.MakeAsync(invoker, type, options);
            Assert.False(record.IsCompleted);
            await source.CancelAsync();
            return await record.InTime();
        });
    }

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Call_WhoseDeadlinePassesWhileItWaits_LooksAsOverGrpcDotnet(MethodType type)
    {
        await using var server = new FakeServer(Responses.EchoAsync, listens: false);
        await CompareAsync(server, invoker =>
        {
            var deadline = DateTime.UtcNow + TimeSpan.FromMilliseconds(50);
            return CallRecord.MakeAsync(invoker, type, new CallOptions(deadline: deadline).WithWaitForReady());
        });
    }

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Call_DisposedOfWhileItWaits_LeavesNothing(MethodType type)
    {
        await using var server = new FakeServer(Responses.EchoAsync, listens: false);
        using var channel = CreateChannel(server);
        var call = FailingCalls.Begin(
            channel.CreateCallInvoker(), type, Responses.CallOptions.WithWaitForReady());

        call.Dispose();

        await AssertNothingIsHeldAsync(channel);
        server.Listen();
        Assert.Equal([1], await channel.CreateCallInvoker().CallAsync(
            [1], Responses.CallOptions.WithWaitForReady()));
        Assert.Equal(1, server.CallsTaken);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Channel_DisposedOfWhileACallWaits_EndsTheCall(MethodType type)
    {
        await using var server = new FakeServer(Responses.EchoAsync, listens: false);
        using var channel = CreateChannel(server);
        var record = CallRecord.MakeAsync(
            channel.CreateCallInvoker(), type, Responses.CallOptions.WithWaitForReady());
        Assert.False(record.IsCompleted);

        channel.Dispose();

        // grpc-dotnet has several answers, by who is faster.
        Assert.Contains(
            "status: Cancelled 'gRPC call disposed.'", await record.InTime(), StringComparison.Ordinal);
        await AssertNothingIsHeldAsync(channel);
    }

    [Fact]
    public async Task Calls_ThatBeginTogetherOnANewChannel_ShareAConnection()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var channel = CreateChannel(server);
        var invoker = channel.CreateCallInvoker();

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 100).Select(i => Task.Run(() => invoker.CallAsync([(byte)i]))));

        Assert.Equal(Enumerable.Range(0, 100).Select(static i => (byte)i), answers.Select(static a => a[0]));
        Assert.Equal(1, server.Accepted);
        await AssertNothingIsHeldAsync(channel);
    }

    [Fact]
    public async Task Writes_BeforeThereIsAConnection_AreSentInOrder()
    {
        await using var server = new FakeServer(Responses.EchoAsync, listens: false);
        using var channel = CreateChannel(server);
        using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(
            Responses.Duplex, null, Responses.CallOptions.WithWaitForReady());
        var first = call.RequestStream.WriteAsync([0], TestToken);
        Assert.False(first.IsCompleted);
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync([9], TestToken));
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.CompleteAsync());

        server.Listen();

        await first.InTime();
        for (byte i = 1; i < 100; i++)
        {
            await call.RequestStream.WriteAsync([i], TestToken).InTime();
        }

        await call.RequestStream.CompleteAsync().InTime();
        for (byte i = 0; i < 100; i++)
        {
            Assert.True(await call.ResponseStream.MoveNext(TestToken).InTime());
            Assert.Equal([i], call.ResponseStream.Current);
        }

        Assert.False(await call.ResponseStream.MoveNext(TestToken).InTime());
        await AssertNothingIsHeldAsync(channel);
    }

    [Fact]
    public async Task Headers_ThatTheCallerChangesMeanwhile_AreSentAsTheyWere()
    {
        var seen = new ConcurrentQueue<string>();
        await using var server = new FakeServer(
            async call =>
            {
                seen.Enqueue((await call.HeadersReceived).Find(static header => header.Name == "key").Value);
                await Responses.EchoAsync(call);
            },
            listens: false);
        using var channel = CreateChannel(server);
        var invoker = channel.CreateCallInvoker();
        var headers = new Metadata { { "key", "first" } };
        var options = Responses.CallOptions.WithHeaders(headers).WithWaitForReady();
        var first = invoker.CallAsync([1], options);
        headers.Clear();
        headers.Add("key", "second");
        var second = invoker.CallAsync([2], options);
        headers.Clear();

        server.Listen();

        Assert.Equal([1], await first);
        Assert.Equal([2], await second);
        Assert.Equal(["first", "second"], seen.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Caller_OfACallThatIsGivenUp_DoesNotGoOnWithinTheToken()
    {
        await using var server = new FakeServer(Responses.EchoAsync, listens: false);
        using var channel = CreateChannel(server);
        using var source = new CancellationTokenSource();
        using var hasFired = new ManualResetEventSlim();
        var options = new CallOptions(cancellationToken: source.Token).WithWaitForReady();
        var caller = WaitAsync();

        await Task.Run(
            () =>
            {
                source.Cancel();
                hasFired.Set();
            },
            TestToken).InTime();

        Assert.True(await caller.InTime(), "The caller has gone on before the token had fired.");

        async Task<bool> WaitAsync()
        {
            using var call = channel.CreateCallInvoker().AsyncUnaryCall(Responses.Unary, null, options, [1]);
            await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
            return hasFired.Wait(TimeLimit.Value, TestToken);
        }
    }

    [Fact]
    public async Task Call_ThatGrpcDotnetHasToMake_KeepsItsOptions()
    {
        var isCompressed = true;
        await using var server = new FakeServer(async call =>
        {
            var body = await call.ReadWholeAsync();
            isCompressed = body[0] != 0;
            Responses.SetGrpcHeaders(call);
            call.Output.Write(body);
            call.SetTrailers(("grpc-status", "0"));
            call.EndOutput();
        });
        using var channel = CreateChannel(server);
        var options = Responses.CallOptions
            .WithHeaders(new Metadata { { "grpc-internal-encoding-request", "gzip" } })
            .WithWriteOptions(new WriteOptions(WriteFlags.NoCompress));

        Assert.Equal([1], await channel.CreateCallInvoker().CallAsync([1], options));

        Assert.False(isCompressed);
        Assert.StartsWith("grpc-dotnet/", server.LastUserAgent, StringComparison.Ordinal);
    }

    private static SharedMemoryChannel CreateChannel(FakeServer server, GrpcChannelOptions? options = null) =>
        SharedMemoryChannel.ForAddress(server.EndPoint.ToString(), server.Options, options);

    // Not with OperationCanceledException: there grpc-dotnet takes the end of its own call for a cancellation.
    private static Task CompareFailuresAsync(FakeServer server, MethodType type) => CompareAsync(
        server,
        new GrpcChannelOptions(),
        (invoker, _) => CallRecord.MakeAsync(invoker, type, Responses.CallOptions));

    private static Task CompareAsync(FakeServer server, Func<CallInvoker, Task<string>> record) =>
        CompareAsync(server, (invoker, _) => record(invoker));

    /// <summary>Compares calls that are never sent, with either kind of exception.</summary>
    private static async Task CompareAsync(FakeServer server, Func<CallInvoker, IDisposable, Task<string>> record)
    {
        await CompareAsync(server, new GrpcChannelOptions(), record);
        await CompareAsync(
            server, new GrpcChannelOptions { ThrowOperationCanceledOnCancellation = true }, record);
    }

    private static async Task CompareAsync(
        FakeServer server, GrpcChannelOptions options, Func<CallInvoker, IDisposable, Task<string>> record)
    {
        using var theirs = server.CreateChannel(options);
        using var ours = CreateChannel(server, options);

        var expected = await record(theirs.CreateCallInvoker(), theirs);
        var actual = await record(ours.CreateCallInvoker(), ours);

        AssertAlike(expected, actual);
        await AssertNothingIsHeldAsync(ours);
    }

    private static void AssertAlike(string expected, string actual) =>
        Assert.True(expected == actual, $"Over grpc-dotnet:\n{expected}\nframed by itself:\n{actual}");

    /// <summary>Asserts that the token and the timer of each call are given back.</summary>
    private static Task AssertNothingIsHeldAsync(SharedMemoryChannel channel) => TimeLimit.UntilAsync(
        () => channel.Native!.Cancellations.FindCalls().Count == 0, () => "A call is still held by its cancellation.");
}
