using Grpc.Core;
using Grpc.Net.Client;
using GrpcShm.Client.Tests.Direct;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Client.Tests.Native;

/// <summary>
/// A channel that frames its calls by itself writes the lines that grpc-dotnet writes, in whatever way a call ends.
/// </summary>
public sealed class LogParityTests
{
    private static readonly Marshaller<byte[]> Bytes = Marshallers.Create(static bytes => bytes, static bytes => bytes);

    private static readonly Marshaller<byte[]> Wrong = Marshallers.Create<byte[]>(
        static _ => throw new FormatException("Not to be written."),
        static _ => throw new FormatException("Not to be read."));

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    public static TheoryData<MethodType> Types => [.. Enum.GetValues<MethodType>()];

    [Theory]
    [MemberData(nameof(ParityTests.Cases), MemberType = typeof(ParityTests))]
    public async Task Call_AnsweredInAnyWay_IsLoggedAsByGrpcDotnet(string answer, MethodType type)
    {
        await using var server = new FakeServer(Answers.All[answer]);
        await CompareAsync(server, invoker => CallRecord.MakeAsync(invoker, type, Responses.CallOptions));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Call_BeyondItsDeadline_IsLoggedAsByGrpcDotnet(MethodType type)
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        var text = await CompareAsync(server, (invoker, lines) => ParityTests.RecordOverdueAsync(
            invoker,
            type,
            async () =>
            {
                await TimeLimit.UntilAsync(() => lines.AreComplete, () => "The call before goes on.");
                lines.Clear();
            }));
        Assert.Contains("Warning 7 DeadlineExceeded", text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Call_CancelledOnItsWay_IsLoggedAsByGrpcDotnet(MethodType type)
    {
        await using var server = new FakeServer(Responses.NeverAsync);
        var text = await CompareAsync(server, invoker => ParityTests.CancelAsync(server, invoker, type));
        Assert.Contains("Status code: 'Cancelled'", text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Call_DisposedOnItsWay_IsLoggedAsByGrpcDotnet(MethodType type)
    {
        await using var server = new FakeServer(Responses.NeverAsync);
        var text = await CompareAsync(server, async invoker =>
        {
            var before = server.CallsTaken;
            var call = FailingCalls.Begin(invoker, type);
            await TimeLimit.UntilAsync(() => server.CallsTaken > before, () => "The server has not taken the call.");
            call.Dispose();
        });
        Assert.Contains("gRPC call disposed.", text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Call_ConnectionIsLostOnItsWay_IsLoggedAsByGrpcDotnet(MethodType type)
    {
        var responses = new SemaphoreSlim(0);
        await using var server = new FakeServer(async call =>
        {
            await call.ReadWholeAsync();
            Responses.SetGrpcHeaders(call);
            await call.SendAsync(default);
            responses.Release();
        });
        var text = await CompareAsync(server, async invoker =>
        {
            var connection = await server.AcceptedAsync();
            var record = CallRecord.MakeAsync(invoker, type, Responses.CallOptions);
            await responses.WaitAsync(TestToken).InTime();
            await connection.DisposeAsync();
            await record;
        });
        Assert.Contains("Status code: 'Unavailable'", text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Call_RequestIsTooLarge_IsLoggedAsByGrpcDotnet(MethodType type)
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        var options = new GrpcChannelOptions { MaxSendMessageSize = 10 };
        var text = await CompareAsync(
            server,
            (invoker, _) => FailingCalls.MakeAsync(invoker, type, new byte[11]),
            options);
        Assert.Contains("Information 20 ErrorSendingMessage", text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Call_RequestCannotBeWritten_IsLoggedAsByGrpcDotnet(MethodType type)
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        var method = new Method<byte[], byte[]>(type, "test.Fake", "Wrong", Wrong, Bytes);
        var text = await CompareAsync(server, invoker => FailingCalls.MakeAsync(invoker, type, [1], method));
        Assert.Contains("Information 20 ErrorSendingMessage", text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Call_ResponseCannotBeRead_IsLoggedAsByGrpcDotnet(MethodType type)
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        var method = new Method<byte[], byte[]>(type, "test.Fake", "Wrong", Bytes, Wrong);
        var text = await CompareAsync(server, invoker => FailingCalls.MakeAsync(invoker, type, [1], method));
        Assert.Contains("Information 17 ErrorReadingMessage", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_UsedWrongly_IsLoggedAsByGrpcDotnet()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        var text = await CompareAsync(server, async invoker =>
        {
            using var call = invoker.AsyncDuplexStreamingCall(Responses.Duplex, null, Responses.CallOptions);
            var read = call.ResponseStream.MoveNext(TestToken);
            await Assert.ThrowsAsync<InvalidOperationException>(() => call.ResponseStream.MoveNext(TestToken));
            await call.RequestStream.CompleteAsync().InTime();
            await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync([1], TestToken));
            Assert.False(await read.InTime());
        });
        Assert.Contains("Error 1 ReadMessageError", text, StringComparison.Ordinal);
        Assert.Contains("Error 2 WriteMessageError", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_WithALoggerOfDetails_IsMadeByGrpcDotnet()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var lines = new CallLines(LogLevel.Debug);
        using var channel = await server.CreateNativeChannelAsync(
            new GrpcChannelOptions { LoggerFactory = lines.Factory });

        await channel.CreateCallInvoker().CallAsync([1]);

        Assert.StartsWith("grpc-dotnet/", server.LastUserAgent, StringComparison.Ordinal);
        Assert.Equal(1, lines.Finished);
    }

    [Fact]
    public async Task Call_LoggerThrows_EndsAllTheSame()
    {
        await using var server = new FakeServer(Answers.All["a status without text"]);
        using var loggers = LoggerFactory.Create(static logging => logging
            .AddFilter(static level => level >= LogLevel.Information)
            .AddProvider(new ThrowingProvider()));
        using var channel = await server.CreateNativeChannelAsync(new GrpcChannelOptions { LoggerFactory = loggers });

        var failure = await Assert.ThrowsAsync<RpcException>(() => channel.CreateCallInvoker().CallAsync([1]));

        Assert.Equal(StatusCode.NotFound, failure.StatusCode);
        Assert.StartsWith("grpcshm-dotnet/", server.LastUserAgent, StringComparison.Ordinal);
    }

    private static Task<string> CompareAsync(FakeServer server, Func<CallInvoker, Task> call) =>
        CompareAsync(server, (invoker, _) => call(invoker));

    /// <summary>Makes the same call over both, and compares the lines from Information upwards.</summary>
    /// <returns>The lines.</returns>
    private static async Task<string> CompareAsync(
        FakeServer server, Func<CallInvoker, CallLines, Task> call, GrpcChannelOptions? options = null)
    {
        options ??= new GrpcChannelOptions();

        // Its last line, of the level Debug, says that there are no more.
        using var theirs = new CallLines(LogLevel.Debug);
        options.LoggerFactory = theirs.Factory;
        using (var channel = await server.CreateNativeChannelAsync(options))
        {
            await CallInScopeAsync(channel, theirs, call);
            await TimeLimit.UntilAsync(
                () => theirs is { Finished: > 0, AreComplete: true }, () => $"The call goes on. {theirs.Text}");
        }

        var before = server.CallsTaken;
        using var ours = new CallLines(LogLevel.Information);
        options.LoggerFactory = ours.Factory;
        using (var channel = await server.CreateNativeChannelAsync(options))
        {
            await CallInScopeAsync(channel, ours, call);

            // Else grpc-dotnet was compared with itself.
            await server.AssertNativeSinceAsync(before);
        }

        Assert.True(theirs.Text == ours.Text, $"By grpc-dotnet:\n{theirs.Text}\nby the channel itself:\n{ours.Text}");
        return ours.Text;
    }

    private static async Task CallInScopeAsync(
        SharedMemoryChannel channel, CallLines lines, Func<CallInvoker, CallLines, Task> call)
    {
        using (lines.Factory.CreateLogger("Test").BeginScope("the caller's scope"))
        {
            await call(channel.CreateCallInvoker(), lines).InTime();
        }
    }

    private sealed class ThrowingProvider : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter) =>
            throw new TimeZoneNotFoundException("The logger has failed.");

        public void Dispose()
        {
        }
    }
}
