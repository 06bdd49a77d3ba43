using System.Net.Sockets;
using GrpcShm.Client;
using GrpcShm.Differential.Hosting;
using GrpcShm.Differential.Requests;
using GrpcShm.Transport;

namespace GrpcShm.Differential.Responses;

/// <summary>The responses of a run.</summary>
internal static class ResponseRun
{
    private const int Workers = 4;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task<long> RunAsync(DifferentialHost host, Settings settings, Findings findings)
    {
        var next = settings.First - 1;
        var done = 0L;
        var end = settings.First + settings.Responses;
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(async () =>
        {
            using var direct = CreateDirect(host);
            using var socket = CreateSocket(host);
            var worker = new Worker(host, findings, direct, socket);
            long number;
            while (!findings.IsEnough && (number = Interlocked.Increment(ref next)) < end)
            {
                await worker.RunAsync(ResponseGenerator.Make(settings.Seed, number));
                Interlocked.Increment(ref done);
            }
        })));
        return done;
    }

    private static HttpMessageInvoker CreateDirect(DifferentialHost host) =>
        new(SharedMemoryChannel.CreateHandler(
            host.DirectAddress, new SharedMemoryClientOptions { Mode = SharedMemoryMode.Direct }));

    private static HttpMessageInvoker CreateSocket(DifferentialHost host) => new(new SocketsHttpHandler
    {
        // As a channel of gRPC has it.
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ActivityHeadersPropagator = null,
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(host.SocketPath), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    });

    /// <summary>
    /// One response after the other, so that what a bad one does to its connection does not happen to another one.
    /// </summary>
    private sealed class Worker(
        DifferentialHost host, Findings findings, HttpMessageInvoker direct, HttpMessageInvoker socket)
    {
        private string _connectionId = "";

        public async Task RunAsync(ResponseScript script)
        {
            if (await CompareAsync(script, socket) is not { } first)
            {
                return;
            }

            if (await CompareAfreshAsync(script) is not { } again)
            {
                findings.AddUnsteady(first);
                return;
            }

            for (var i = script.Steps.Count - 1; i >= 0; i--)
            {
                var less = script with { Steps = [.. script.Steps.Take(i), .. script.Steps.Skip(i + 1)] };
                if (await CompareAfreshAsync(less) is { } smaller && smaller.What == again.What)
                {
                    (script, again) = (less, smaller);
                }
            }

            findings.Add(again);
        }

        // A stream that Kestrel uses again may have kept something of what was on it before, be it the status of a
        // response that failed: on a connection of its own there is nothing to keep. Direct mode's goes on.
        private async Task<Difference?> CompareAfreshAsync(ResponseScript script)
        {
            using var fresh = CreateSocket(host);
            return await CompareAsync(script, fresh);
        }

        private async Task<Difference?> CompareAsync(ResponseScript script, HttpMessageInvoker kestrel)
        {
            var (one, _) = await PlayAsync(direct, script);
            var (other, _) = await PlayAsync(kestrel, script);
            var isDocumented = DocumentedDifferences.IsUnanswered(script, other)
                || DocumentedDifferences.HasTwoLengths(script)
                || DocumentedDifferences.IsCutOff(script);
            var what = one == other || isDocumented
                ? null
                : RequestComparison.FirstDifference(one, other);
            var (_, connectionId) = await PlayAsync(direct, new ResponseScript(script.Number, []));
            if (_connectionId.Length > 0 && connectionId != _connectionId)
            {
                what = "it ended the connection in direct mode";
            }

            _connectionId = connectionId;
            return what is null
                ? null
                : new Difference("response", script.Number, what, RequestComparison.Describe($"{script}", one, other));
        }

        private async Task<(string Text, string ConnectionId)> PlayAsync(
            HttpMessageInvoker client, ResponseScript script)
        {
            var act = host.Responses.Open(script);
            var report = await ClientReport.SendAsync(client, act);
            await Task.WhenAny(act.Done, Task.Delay(Patience));
            host.Responses.Close(act);
            var handler = act.Done.IsCompleted ? "" : "the handler does not end\n";
            return ($"{act.Seen}{handler}{report}", act.ConnectionId);
        }
    }
}
