using System.Net;
using System.Net.Http.Headers;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using GrpcShm.AspNetCore.Native;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.AspNetCore.Tests.Native;

/// <summary>
/// Handler, client and log see the same of a native call as of one that goes through the application's pipeline and
/// grpc-dotnet.
/// </summary>
public sealed class ServerParityTests
{
    private static readonly string[] Requests = ["one", "two", "three"];

    public static TheoryData<string, MethodType> Cases()
    {
        var cases = new TheoryData<string, MethodType>();
        foreach (var script in Scripts.All.Keys)
        {
            foreach (var type in Enum.GetValues<MethodType>())
            {
                cases.Add(script, type);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public Task Handler_DoesAnything_LooksAsInFull(string script, MethodType type) =>
        CompareAsync(script, type, Requests);

    [Theory]
    [MemberData(nameof(Cases))]
    public Task Handler_WithInterceptorsAccessorAndLimits_LooksAsInFull(string script, MethodType type) =>
        CompareAsync(
            script,
            type,
            Requests,
            static services => services.AddHttpContextAccessor(),
            static grpc =>
            {
                grpc.EnableDetailedErrors = true;
                grpc.MaxSendMessageSize = 100_000;
                grpc.ResponseCompressionAlgorithm = "gzip";
                grpc.Interceptors.Add<NotingInterceptor>("outer");
                grpc.Interceptors.Add<NotingInterceptor>("inner");
            });

    [Theory]
    [InlineData(MethodType.Unary)]
    [InlineData(MethodType.ClientStreaming)]
    [InlineData(MethodType.ServerStreaming)]
    [InlineData(MethodType.DuplexStreaming)]
    public async Task Request_ThatIsNotTaken_LooksAsInFull(MethodType type)
    {
        await CompareAsync("answers", type, [ScriptedMethods.Unreadable]);
        await CompareAsync("answers", type, [new string('x', 300)], grpc: static g => g.MaxReceiveMessageSize = 200);
        await CompareAsync(
            "answers",
            type,
            [new string('x', 300)],
            headers: new Metadata { { "grpc-internal-encoding-request", "gzip" } });
        await CompareAsync(
            "answers",
            type,
            [new string('x', 300)],
            grpc: static g => g.MaxReceiveMessageSize = 200,
            headers: new Metadata { { "grpc-internal-encoding-request", "gzip" } });
    }

    [Theory]
    [InlineData(MethodType.Unary)]
    [InlineData(MethodType.ClientStreaming)]
    [InlineData(MethodType.ServerStreaming)]
    [InlineData(MethodType.DuplexStreaming)]
    public Task Call_WithDeadlineThatDoesNotPass_LooksAsInFull(MethodType type) =>
        CompareAsync("looks at the call", type, Requests, deadline: DateTime.UtcNow.AddDays(400));

    [Theory]
    [InlineData("", "Incomplete message.")]
    [InlineData("00000000", "Incomplete message.")]
    [InlineData("0000000005", "Incomplete message.")]
    [InlineData("0000000001410000000001", "Additional data after the message received.")]
    [InlineData("00000000014100000000014200", "Additional data after the message received.")]
    [InlineData("020000000141", "Exception was thrown by handler.")]
    [InlineData("00FFFFFFFF41", "Exception was thrown by handler.")]
    [InlineData("010000000141", "Request did not include grpc-encoding value with compressed message.")]
    [InlineData("010000000141", "Request sent 'identity' grpc-encoding value with compressed message.", "identity")]
    [InlineData(
        "010000000141",
        "Unsupported grpc-encoding value 'odd'. Supported encodings: identity, gzip, deflate",
        "odd")]
    public async Task Request_OfBytesThatNoClientSends_LooksAsInFull(string hex, string detail, string? encoding = null)
    {
        var expected = await SendAsync(isNative: false, hex, encoding);
        var actual = await SendAsync(isNative: true, hex, encoding);

        Assert.Contains(detail, Uri.UnescapeDataString(expected), StringComparison.Ordinal);
        Assert.Equal(expected, actual);
    }

    [Fact]
    public async Task Deadline_ThatPasses_EndsTheResponseAsInFull()
    {
        const string Message = "0000000003313233";
        var expected = await SendAsync(isNative: false, Message, null, "100m", UntilCancelledAsync);
        var actual = await SendAsync(isNative: true, Message, null, "100m", UntilCancelledAsync);

        Assert.Contains("grpc-message: Deadline Exceeded", expected, StringComparison.Ordinal);
        Assert.Equal(expected, actual);

        static async Task<string> UntilCancelledAsync(Act act)
        {
            var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = act.Context.CancellationToken.Register(cancelled.SetResult);
            await cancelled.Task.InTime();
            throw new OperationCanceledException();
        }
    }

    [Theory]
    [InlineData("600S")]
    [InlineData("50H")]
    [InlineData("99999999H")]
    [InlineData("100000000S")]
    [InlineData("2147483647M")]
    [InlineData("0m")]
    [InlineData("-1S")]
    [InlineData("S")]
    [InlineData("1x")]
    [InlineData("")]
    public async Task Timeout_OfAnyText_IsReadAsInFull(string timeout)
    {
        const string Message = "0000000003313233";
        var expected = await SendAsync(isNative: false, Message, null, timeout, NoteAsync);
        var actual = await SendAsync(isNative: true, Message, null, timeout, NoteAsync);

        Assert.Equal(expected, actual);

        static Task<string> NoteAsync(Act act)
        {
            var left = act.Context.Deadline - DateTime.UtcNow;
            return Task.FromResult(
                left.TotalDays > 10_000 ? "none" : left.TotalHours > 1 ? $"{left.Days} days" : "less");
        }
    }

    private static async Task<string> SendAsync(
        bool isNative,
        string hex,
        string? encoding,
        string? timeout = null,
        Func<Act, Task<string>>? script = null)
    {
        await using var host = await ScriptedHost.StartAsync(isNative);
        host.Scene.Script = script ?? Scripts.All["answers"];
        using var invoker = host.CreateInvoker();
        var texts = new List<string>();
        foreach (var type in Enum.GetValues<MethodType>())
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"http://localhost/test.Scripted/{type}")
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new ByteArrayContent(Convert.FromHexString(hex)),
            };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
            request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
            if (encoding is not null)
            {
                request.Headers.TryAddWithoutValidation("grpc-encoding", encoding);
            }

            if (timeout is not null)
            {
                request.Headers.TryAddWithoutValidation("grpc-timeout", timeout);
            }

            using var response = await invoker.SendAsync(request, TestContext.Current.CancellationToken).InTime();
            var body = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken).InTime();
            texts.Add($"{type}: {(int)response.StatusCode} {Convert.ToHexString(body)}");
            texts.AddRange(response.Headers.Concat(response.TrailingHeaders).Concat(response.Content.Headers)
                .Where(static field => field.Key != "Date")
                .Select(static field => $"{field.Key}: {string.Join(" | ", field.Value)}"));
        }

        await host.Scene.WaitForEndAsync();
        texts.AddRange(host.Log);
        Assert.Equal(isNative ? 4 : 0, host.NativeMethods);
        Assert.All(host.Scene.Contexts, context => Assert.Equal(isNative, context is NativeCallContext));
        return string.Join('\n', texts);
    }

    private static async Task CompareAsync(
        string script,
        MethodType type,
        string[] requests,
        Action<IServiceCollection>? services = null,
        Action<GrpcServiceOptions>? grpc = null,
        Metadata? headers = null,
        DateTime? deadline = null)
    {
        headers ??= [];
        headers.Add("key", "value");
        headers.Add("key-bin", [7, 8, 9]);
        var options = new CallOptions(headers, deadline, TestContext.Current.CancellationToken);

        var expected = await RecordAsync(isNative: false, script, type, requests, services, grpc, options);
        var actual = await RecordAsync(isNative: true, script, type, requests, services, grpc, options);

        Assert.Equal(expected, actual);
    }

    private static async Task<string> RecordAsync(
        bool isNative,
        string script,
        MethodType type,
        string[] requests,
        Action<IServiceCollection>? services,
        Action<GrpcServiceOptions>? grpc,
        CallOptions options)
    {
        await using var host = await ScriptedHost.StartAsync(isNative, services, grpc);
        host.Scene.Script = Scripts.All[script];
        var view = await ClientView.MakeAsync(host.Channel.CreateCallInvoker(), type, requests, options);
        await host.Scene.WaitForEndAsync();

        // Else the pipeline was compared with itself.
        Assert.Equal(isNative ? 4 : 0, host.NativeMethods);
        Assert.All(host.Scene.Contexts, context => Assert.Equal(isNative, context is NativeCallContext));
        return string.Join('\n', [view, .. host.Scene.Notes, .. host.Log]).Replace(host.Name, "NAME");
    }
}
