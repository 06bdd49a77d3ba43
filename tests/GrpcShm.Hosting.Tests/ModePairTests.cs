using Grpc.Core;
using GrpcShm.AspNetCore;
using GrpcShm.AspNetCore.Native;
using GrpcShm.AspNetCore.Native.Proof;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests;

/// <summary>
/// Each kind of client in each mode, and each kind of server in each mode: a pair works in the best mode that both
/// have, or the client is told why not.
/// </summary>
public sealed class ModePairTests
{
    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    /// <summary>All pairs: the client's mode, whether its channel frames calls by itself, and the same of the server.
    /// </summary>
    public static TheoryData<SharedMemoryMode, bool, SharedMemoryMode, bool> Pairs { get; } = CreatePairs();

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Calls_OfEachPair_UseTheBestCommonModeOrSayWhyThereIsNone(
        SharedMemoryMode mode, bool isNativeClient, SharedMemoryMode offered, bool isNativeServer)
    {
        await using var server = await StartAsync(offered, isNativeServer);
        var channel = Connect(server.Directory, mode, isNativeClient);
        using var owned = (IDisposable)channel;
        var client = new Greeter.GreeterClient(channel);

        if (mode != offered && mode != SharedMemoryMode.Auto && offered != SharedMemoryMode.Auto)
        {
            await AssertRefusedAsync(() => GreetAsync(client));
            await AssertRefusedAsync(() => GreetAllAsync(client));
            return;
        }

        var isDirect = mode != SharedMemoryMode.Http2 && offered != SharedMemoryMode.Http2;
        var agent = isNativeClient && isDirect ? "grpcshm-dotnet" : "grpc-dotnet";
        var expected = !isDirect ? "HTTP/2"
            : isNativeServer && Environment.Version.Major == PipelineWalk.KnownVersion ? "native dispatch"
            : "direct mode";

        // The first call connects. The first one of a process goes in full at the server, see RequestListeners.
        Assert.StartsWith($"Ada, by {agent}, ", await GreetAsync(client), StringComparison.Ordinal);

        Assert.Equal($"Ada, by {agent}, {expected}", await GreetAsync(client));
        Assert.Equal($"Ada and Bob, by {agent}, {expected}", await GreetAllAsync(client));
    }

    [Fact]
    public void Pairs_AreAllOfThem() => Assert.Equal(3 * 2 * 3 * 2, Pairs.Count);

    private static TheoryData<SharedMemoryMode, bool, SharedMemoryMode, bool> CreatePairs()
    {
        var pairs = new TheoryData<SharedMemoryMode, bool, SharedMemoryMode, bool>();
        foreach (var mode in Enum.GetValues<SharedMemoryMode>())
        {
            foreach (var offered in Enum.GetValues<SharedMemoryMode>())
            {
                pairs.Add(mode, false, offered, false);
                pairs.Add(mode, false, offered, true);
                pairs.Add(mode, true, offered, false);
                pairs.Add(mode, true, offered, true);
            }
        }

        return pairs;
    }

    private static ChannelBase Connect(string directory, SharedMemoryMode mode, bool isNative)
    {
        var options = new SharedMemoryClientOptions { RuntimeDirectory = directory, Mode = mode };
        return isNative
            ? SharedMemoryChannel.ForAddress("pair", options)
            : SharedMemoryChannel.CreateGrpcChannel("pair", options);
    }

    private static Task<TestServer> StartAsync(SharedMemoryMode offered, bool isNative) => TestServer.StartAsync(
        builder =>
        {
            builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("pair"));
            builder.Services.Configure<SharedMemoryTransportOptions>(options =>
            {
                options.Mode = offered;
                options.UseNativeDispatch = isNative;
            });
        },
        app =>
        {
            var service = app.MapGrpcService<Describer>();
            if (isNative)
            {
                service.WithNativeDispatch();
            }
        });

    private static async Task<string> GreetAsync(Greeter.GreeterClient client)
    {
        var answer = await client.GreetAsync(
            new Greeting { Name = "Ada" }, deadline: TimeLimit.Deadline, cancellationToken: TestToken)
            .ResponseAsync.InTime();
        return answer.Text;
    }

    private static async Task<string> GreetAllAsync(Greeter.GreeterClient client)
    {
        using var call = client.GreetAll(deadline: TimeLimit.Deadline, cancellationToken: TestToken);
        try
        {
            await call.RequestStream.WriteAsync(new Greeting { Name = "Ada" }, TestToken).InTime();
            await call.RequestStream.WriteAsync(new Greeting { Name = "Bob" }, TestToken).InTime();
            await call.RequestStream.CompleteAsync().InTime();
        }
        catch (RpcException)
        {
            // The call has ended. Its answer says how.
        }

        return (await call.ResponseAsync.InTime()).Text;
    }

    private static async Task AssertRefusedAsync(Func<Task<string>> call)
    {
        var exception = await Assert.ThrowsAsync<RpcException>(call);

        Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
        Assert.Contains("mode", exception.Status.DebugException?.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Says how its calls have come.</summary>
    private sealed class Describer : Greeter.GreeterBase
    {
        public override Task<Answer> Greet(Greeting request, ServerCallContext context) =>
            Task.FromResult(Describe(request.Name, context));

        public override async Task<Answer> GreetAll(
            IAsyncStreamReader<Greeting> requestStream, ServerCallContext context)
        {
            var names = new List<string>();
            await foreach (var greeting in requestStream.ReadAllAsync(context.CancellationToken))
            {
                names.Add(greeting.Name);
            }

            return Describe(string.Join(" and ", names), context);
        }

        private static Answer Describe(string names, ServerCallContext context)
        {
            var agent = context.RequestHeaders.GetValue("user-agent")!.Split('/')[0];
            var request = context.GetHttpContext().Features.GetRequiredFeature<IHttpRequestFeature>();
            var how = context is NativeCallContext ? "native dispatch"
                : request.GetType().Assembly == typeof(KestrelServerOptions).Assembly ? "HTTP/2"
                : "direct mode";
            return new Answer { Text = $"{names}, by {agent}, {how}" };
        }
    }
}
