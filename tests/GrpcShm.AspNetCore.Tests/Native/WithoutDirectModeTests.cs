using Grpc.Core;
using GrpcShm.Client;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Tests.Native;

/// <summary>
/// A channel that frames its calls by itself learns with its first call that the server has no direct mode. That call
/// goes on over HTTP/2, and its caller sees what grpc-dotnet shows.
/// </summary>
public sealed class WithoutDirectModeTests
{
    private static readonly string[] Requests = ["one", "two", "three"];

    public static TheoryData<string, MethodType> Cases => ServerParityTests.Cases();

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task FirstCall_AnsweredInAnyWay_LooksAsOverGrpcDotnet(string script, MethodType type)
    {
        await using var host = await StartAsync();
        host.Scene.Script = Scripts.All[script];
        using var channel = host.CreateNativeChannel();

        var expected = await RecordAsync(host, host.Channel, type);
        var actual = await RecordAsync(host, channel, type);

        Assert.Equal(expected, actual);
    }

    [Theory]
    [InlineData(MethodType.Unary)]
    [InlineData(MethodType.ClientStreaming)]
    [InlineData(MethodType.ServerStreaming)]
    [InlineData(MethodType.DuplexStreaming)]
    public async Task FirstCall_GivenUp_EndsTheHandlerAndLooksAsOverGrpcDotnet(MethodType type)
    {
        await using var host = await StartAsync();
        CancellationTokenSource giveUp = null!;
        host.Scene.Script = async act =>
        {
            await giveUp.CancelAsync();
            await ServerCallLifeTests.UntilCancelledAsync(act.Context.CancellationToken);
            act.Note("cancelled");
            throw new OperationCanceledException(act.Context.CancellationToken);
        };
        using var channel = host.CreateNativeChannel();
        var records = new List<string>();

        foreach (var invoker in new[] { host.Channel.CreateCallInvoker(), channel.CreateCallInvoker() })
        {
            using var source = new CancellationTokenSource();
            giveUp = source;
            records.Add(await RecordAsync(host, invoker, type, new CallOptions([], null, source.Token)));
        }

        Assert.Equal(records[0], records[1]);
        Assert.Contains("cancelled", records[1], StringComparison.Ordinal);
        AssertNothingIsHeld(channel);
    }

    [Theory]
    [InlineData(MethodType.Unary)]
    [InlineData(MethodType.ClientStreaming)]
    [InlineData(MethodType.ServerStreaming)]
    [InlineData(MethodType.DuplexStreaming)]
    public async Task FirstCall_DisposedOfUnread_EndsTheHandler(MethodType type)
    {
        await using var host = await StartAsync();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Scene.Script = async act =>
        {
            begun.SetResult();
            await ServerCallLifeTests.UntilCancelledAsync(act.Context.CancellationToken);
            return "too late";
        };
        using var channel = host.CreateNativeChannel();

        var call = Begin(channel.CreateCallInvoker(), type);
        await begun.Task.InTime();
        call.Dispose();

        await host.Scene.WaitForEndAsync(begun: 1);
        AssertNothingIsHeld(channel);
    }

    [Fact]
    public async Task FirstCall_HeadersAreAskedForAfterTheResponse_HasThem()
    {
        await using var host = await StartAsync();
        host.Scene.Script = static async act =>
        {
            await act.Context.WriteResponseHeadersAsync(new Metadata { { "early", "1" } });
            return "done";
        };
        for (var i = 0; i < 50; i++)
        {
            using var channel = host.CreateNativeChannel();
            using var call = channel.CreateCallInvoker().AsyncUnaryCall(
                ScriptedMethods.Unary, null, Options(), "one");

            Assert.Equal("done", await call.ResponseAsync.InTime());

            Assert.Equal("1", (await call.ResponseHeadersAsync.InTime()).GetValue("early"));
            Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        }
    }

    [Fact]
    public async Task FirstCall_WithATrailerThatMakesNoSense_EndsAllTheSame()
    {
        await using var host = await StartAsync();
        host.Scene.Script = static act =>
        {
            act.Context.GetHttpContext().Response.AppendTrailer("bad-bin", "!");
            return Task.FromResult("done");
        };
        using var channel = host.CreateNativeChannel();

        using (var call = channel.CreateCallInvoker().AsyncUnaryCall(ScriptedMethods.Unary, null, Options(), "one"))
        {
            Assert.Equal("done", await call.ResponseAsync.InTime());
            Assert.Throws<FormatException>(() => call.GetTrailers());
        }

        AssertNothingIsHeld(channel);
    }

    [Theory]
    [InlineData(MethodType.Unary)]
    [InlineData(MethodType.ClientStreaming)]
    [InlineData(MethodType.ServerStreaming)]
    [InlineData(MethodType.DuplexStreaming)]
    public async Task FirstCall_GivenUpAtAnyMoment_Ends(MethodType type)
    {
        await using var host = await StartAsync();
        host.Scene.Script = static async act =>
        {
            await ServerCallLifeTests.UntilCancelledAsync(act.Context.CancellationToken);
            return "too late";
        };
        var random = new Random(17);
        for (var i = 0; i < 100; i++)
        {
            using var channel = host.CreateNativeChannel();
            using var source = new CancellationTokenSource();
            var spins = random.Next(200_000);
            var giveUp = Task.Run(
                () =>
                {
                    Thread.SpinWait(spins);
                    source.Cancel();
                },
                TestContext.Current.CancellationToken);

            var view = await ClientView.MakeAsync(
                channel.CreateCallInvoker(), type, ["one"], new CallOptions([], TimeLimit.Deadline, source.Token));

            Assert.Contains("status: Cancelled", view, StringComparison.Ordinal);
            await giveUp.InTime();
            await TimeLimit.UntilAsync(() => channel.Native!.Cancellations.FindCalls().Count == 0);
            await host.Scene.WaitForEndAsync();
        }
    }

    [Fact]
    public async Task FirstCall_WrittenToBeforeThereIsAConnection_SendsAllInOrder()
    {
        await using var host = await StartAsync();
        host.Scene.Script = Scripts.All["answers"];
        using var channel = host.CreateNativeChannel();

        using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(
            ScriptedMethods.DuplexStreaming, null, Options());
        for (var i = 0; i < 100; i++)
        {
            await call.RequestStream.WriteAsync($"{i}", TestContext.Current.CancellationToken).InTime();
        }

        await call.RequestStream.CompleteAsync().InTime();

        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).InTime());
        Assert.Equal(string.Join('+', Enumerable.Range(0, 100)), call.ResponseStream.Current);
        Assert.False(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).InTime());
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        Assert.Empty(call.GetTrailers());
        AssertNothingIsHeld(channel);
    }

    [Fact]
    public async Task FirstCall_CompletedAtOnce_HasNoMessages()
    {
        await using var host = await StartAsync();
        host.Scene.Script = static async act => $"{(await act.ReadAllAsync()).Count}";
        using var channel = host.CreateNativeChannel();

        using var call = channel.CreateCallInvoker().AsyncClientStreamingCall(
            ScriptedMethods.ClientStreaming, null, Options());
        await call.RequestStream.CompleteAsync().InTime();

        Assert.Equal("0", await call.ResponseAsync.InTime());
        AssertNothingIsHeld(channel);
    }

    private static Task<ScriptedHost> StartAsync() =>
        ScriptedHost.StartAsync(isNative: false, mode: SharedMemoryMode.Http2);

    private static Task<string> RecordAsync(ScriptedHost host, ChannelBase channel, MethodType type) =>
        RecordAsync(host, channel.CreateCallInvoker(), type, Options());

    private static async Task<string> RecordAsync(
        ScriptedHost host, CallInvoker invoker, MethodType type, CallOptions options)
    {
        host.Scene.Clear();
        var view = await ClientView.MakeAsync(invoker, type, Requests, options);
        await host.Scene.WaitForEndAsync();
        return string.Join('\n', [view, .. host.Scene.Notes]);
    }

    private static IDisposable Begin(CallInvoker invoker, MethodType type) => type switch
    {
        MethodType.Unary => invoker.AsyncUnaryCall(ScriptedMethods.Unary, null, Options(), "one"),
        MethodType.ClientStreaming =>
            invoker.AsyncClientStreamingCall(ScriptedMethods.ClientStreaming, null, Options()),
        MethodType.ServerStreaming =>
            invoker.AsyncServerStreamingCall(ScriptedMethods.ServerStreaming, null, Options(), "one"),
        _ => invoker.AsyncDuplexStreamingCall(ScriptedMethods.DuplexStreaming, null, Options()),
    };

    private static CallOptions Options() => new([], TimeLimit.Deadline, TestContext.Current.CancellationToken);

    /// <summary>Asserts that the token and the timer of each call were given back.</summary>
    private static void AssertNothingIsHeld(SharedMemoryChannel channel) =>
        Assert.Empty(channel.Native!.Cancellations.FindCalls());
}
