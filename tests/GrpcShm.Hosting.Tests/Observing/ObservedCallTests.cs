using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests.Observing;

/// <summary>
/// The measurements with their tags, the events, spans and diagnostics of a call are those of the same call over a Unix
/// socket. The exceptions are listed here, and in docs/why/direct-mode.md.
/// </summary>
[Collection(Alone.Name)]
public sealed partial class ObservedCallTests
{
    private const string EndPoint = "(the endpoint)";

    /// <summary>The lines that may differ: the line over a socket, and the line over shared memory.</summary>
    private static readonly (string Pattern, string Replacement)[] Differences =
    [
        // If Kestrel does not know an endpoint's type, it names the transport by the address family. A socket's client
        // has no address.
        ("network.transport=unix", "network.transport=Unix"),
        (
            $"^(event Microsoft-AspNetCore-Server-Kestrel ConnectionStart an id), {Regex.Escape(EndPoint)},$",
            $"$1, {EndPoint}, {EndPoint}"),
    ];

    /// <summary>The lines that only a socket has.</summary>
    private static readonly string[] OfSocketsAlone =
    [
        // This is the memory of Kestrel's own transports.
        "^meter Microsoft.AspNetCore.MemoryPool ",
    ];

    /// <summary>The lines that a socket has, and direct mode has not.</summary>
    private static readonly string[] NotInDirectMode =
    [
        // .NET has declared them obsolete.
        "^diagnostic HttpHandlerDiagnosticListener System.Net.Http.(Request|Response)$",
    ];

    /// <summary>The lines that direct mode may have or not have.</summary>
    private const string ByChance = "meter Microsoft.AspNetCore.Server.Kestrel kestrel.queued_requests ";

    /// <summary>The lines whose texts differ.</summary>
    private static readonly Regex Words = new("^event System.Net.Http (RequestFailed|RequestFailedDetailed) .*$");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(SharedMemoryMode.Direct, "answer")]
    [InlineData(SharedMemoryMode.Direct, "throw")]
    [InlineData(SharedMemoryMode.Direct, "abort")]
    [InlineData(SharedMemoryMode.Direct, "wait")]
    [InlineData(SharedMemoryMode.Http2, "answer")]
    [InlineData(SharedMemoryMode.Http2, "throw")]
    [InlineData(SharedMemoryMode.Http2, "abort")]
    [InlineData(SharedMemoryMode.Http2, "wait")]
    public async Task Call_OfEachEnd_IsToldAsOverASocket(SharedMemoryMode mode, string end)
    {
        var socket = await ObserveAsync(null, end);
        var sharedMemory = await ObserveAsync(mode, end);

        string[] notTold = [.. OfSocketsAlone, .. mode == SharedMemoryMode.Direct ? NotInDirectMode : []];
        if (mode == SharedMemoryMode.Direct)
        {
            // The line is there if a call waits while Kestrel's heartbeat comes. Over HTTP/2 each call has it.
            Assert.NotEqual(0, socket.RemoveWhere(static line => line.StartsWith(ByChance, StringComparison.Ordinal)));
            sharedMemory.RemoveWhere(static line => line.StartsWith(ByChance, StringComparison.Ordinal));
        }

        var expected = socket
            .Where(line => !notTold.Any(pattern => Regex.IsMatch(line, pattern)))
            .Select(Translate)
            .Select(InFewWords);
        var different = expected.Except(sharedMemory.Select(InFewWords)).Select(static line => $"- {line}").Concat(
            sharedMemory.Select(InFewWords).Except(expected).Select(static line => $"+ {line}")).ToList();
        Assert.True(different.Count == 0, string.Join('\n', different));
    }

    private static string InFewWords(string line) => Words.Replace(line, "event System.Net.Http $1");

    private static string Translate(string line) => Differences.Aggregate(
        line, static (line, difference) => Regex.Replace(line, difference.Pattern, difference.Replacement));

    private static async Task<SortedSet<string>> ObserveAsync(SharedMemoryMode? mode, string end)
    {
        var name = $"observed-{Guid.NewGuid():N}";
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TestServer.StartAsync(builder =>
        {
            builder.WebHost.ConfigureKestrel(kestrel =>
            {
                kestrel.ListenSharedMemory(name);
                kestrel.ListenUnixSocket(
                    Path.Join(builder.Environment.ContentRootPath, $"kestrel-{name}.sock"),
                    static listen => listen.Protocols = HttpProtocols.Http2);
            });
            builder.Services.AddSingleton<IStartupFilter>(
                new MiddlewareFilter((context, next) => EndAsync(context, next, end, begun)));
        });
        var factory = server.Services.GetRequiredService<IMeterFactory>();
        using var observer = new Observer(factory, value => Normalize(value, name));
        using (var channel = Connect(mode, server, name, factory))
        {
            using var cancellation = new CancellationTokenSource();
            using var call = new Greeter.GreeterClient(channel).GreetAsync(
                new Greeting { Name = "you" }, deadline: TimeLimit.Deadline, cancellationToken: cancellation.Token);
            if (end == "wait")
            {
                await begun.Task.WaitAsync(TimeLimit.Value, Token);
                await cancellation.CancelAsync();
            }

            if (end == "answer")
            {
                await call.ResponseAsync.WaitAsync(TimeLimit.Value, Token);
            }
            else
            {
                await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.WaitAsync(TimeLimit.Value, Token));
            }

            // The server's part may end later.
            await TimeLimit.UntilAsync(() =>
                observer.Has("meter Microsoft.AspNetCore.Hosting http.server.request.duration")
                && observer.Has("event Microsoft.AspNetCore.Hosting RequestStop")
                && observer.Has("event System.Net.Http RequestContentStop"));
        }

        // Both ends of the connection may end later, too.
        await TimeLimit.UntilAsync(() =>
            observer.Has("meter Microsoft.AspNetCore.Server.Kestrel kestrel.connection.duration")
            && observer.Has("meter System.Net.Http http.client.connection.duration")
            && observer.Has("event Microsoft-AspNetCore-Server-Kestrel ConnectionStop")
            && observer.Has("event System.Net.Http ConnectionClosed")
            && !observer.LeftOver.Any());
        return observer.Heard;
    }

    private static async Task EndAsync(
        HttpContext context, RequestDelegate next, string end, TaskCompletionSource begun)
    {
        if (end != "answer")
        {
            // A client that learns of the end before it has sent its request does not report the end of the request.
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
        }

        switch (end)
        {
            case "throw":
                throw new InvalidOperationException("It fails.");
            case "abort":
                context.Abort();
                break;
            case "wait":
                begun.TrySetResult();
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
                break;
            default:
                await next(context);
                break;
        }
    }

    private static GrpcChannel Connect(SharedMemoryMode? mode, TestServer server, string name, IMeterFactory factory)
    {
        if (mode is not null)
        {
            return SharedMemoryChannel.CreateGrpcChannel(
                name,
                new SharedMemoryClientOptions
                {
                    RuntimeDirectory = server.Directory,
                    ConnectTimeout = TimeLimit.Value,
                    Mode = mode.Value,
                    MeterFactory = factory,
                });
        }

        var handler = UnixSocket.CreateHandler(Path.Join(server.Directory, $"kestrel-{name}.sock"));
        handler.MeterFactory = factory;
        return GrpcChannel.ForAddress(
            $"http://{name}", new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
    }

    /// <summary>
    /// Makes equal what differs in each run: names of the endpoint, of connections and of requests, and times.
    /// </summary>
    private static string Normalize(object? value, string name) => value switch
    {
        double => "a duration",
        long => "a number",
        _ => Varying().Replace(
            Regex.Replace($"{value}".Split('\n')[0].TrimEnd('\r'), $"^(shm:{name}|/.*/kestrel-{name}.sock)$", EndPoint)
                .Replace(name, "observed", StringComparison.Ordinal),
            "an id"),
    };

    /// <summary>A connection's id of Kestrel or of this library, followed by a request's number.</summary>
    [GeneratedRegex("^(shm-[0-9]+-[0-9]+|0H[0-9A-V]{11})(:[0-9A-F]{8})?$")]
    private static partial Regex Varying();
}
