using System.Runtime.CompilerServices;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace GrpcShm.Hosting.Tests.PlugIns;

/// <summary>
/// A plug-in that has used the libraries can be unloaded, and nothing keeps the values of a caller's execution context.
/// </summary>
public sealed class UnloadingTests
{
    private const int Times = 10;

    // In each copy the just-in-time compiler needs some seconds.
    private const int TimesServed = 3;

    private static readonly AsyncLocal<object?> Local = new();

    [Theory]
    [InlineData(nameof(SharedMemoryMode.Direct))]
    [InlineData(nameof(SharedMemoryMode.Http2))]
    public async Task Unload_PlugInHasCalled_IsCollected(string mode)
    {
        await using var server = await StartAsync();
        var contexts = new List<WeakReference>();
        for (var i = 0; i < Times; i++)
        {
            contexts.Add(await PlugInContext.UseAsync(nameof(PlugIn.CallAsync), server.Directory, mode));
        }

        await PlugInContext.AssertCollectedAsync(contexts);
    }

    [Fact]
    public async Task Unload_PlugInHasCalledByAReactorOfTheHost_IsCollected()
    {
        await using var server = await StartAsync();
        var contexts = new List<WeakReference>();
        for (var i = 0; i < Times; i++)
        {
            contexts.Add(await PlugInContext.UseSharingAsync(
                "GrpcShm.Transport", nameof(PlugIn.CallAsync), server.Directory, nameof(SharedMemoryMode.Direct)));
        }

        await PlugInContext.AssertCollectedAsync(contexts);
    }

    [Fact]
    public async Task Unload_PlugInHasCalledOverAUnixSocket_IsCollected()
    {
        // The other tests are compared with this one: if it fails, the fault is not in this library.
        await using var server = await StartAsync();
        var contexts = new List<WeakReference>();
        for (var i = 0; i < Times; i++)
        {
            contexts.Add(await PlugInContext.UseAsync(nameof(PlugIn.CallOverUnixSocketAsync), SocketOf(server)));
        }

        await PlugInContext.AssertCollectedAsync(contexts);
    }

    [Theory]
    [InlineData(nameof(PlugIn.ServeAsync))]
    [InlineData(nameof(PlugIn.ServeOverUnixSocketAsync))]
    public async Task Unload_PlugInHasServed_IsCollected(string method)
    {
        var contexts = new List<WeakReference>();
        for (var i = 0; i < TimesServed; i++)
        {
            var directory = Directory.CreateTempSubdirectory("grpcshm-plug-in-");
            try
            {
                contexts.Add(await PlugInContext.UseAsync(method, directory.FullName));
            }
            finally
            {
                directory.Delete(recursive: true);
            }
        }

        await PlugInContext.AssertCollectedAsync(contexts);
    }

    [Theory]
    [InlineData(nameof(SharedMemoryMode.Direct))]
    [InlineData(nameof(SharedMemoryMode.Http2))]
    public async Task FirstCall_InAContextWithValues_KeepsNoneOfThem(string mode)
    {
        await using var server = await StartAsync();
        var mayEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var called = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var value = Begin(server.Directory, mode, called, mayEnd.Task, out var copy, out var calling);
        await Task.WhenAny(called.Task, calling).WaitAsync(TimeLimit.Value, TestContext.Current.CancellationToken);
        await TimeLimit.UntilAsync(() =>
        {
            GC.Collect();
            return !value.IsAlive;
        });
        mayEnd.SetResult();
        await calling.WaitAsync(TimeLimit.Value, TestContext.Current.CancellationToken);
        copy.Unload();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Begin(
        string directory,
        string mode,
        TaskCompletionSource called,
        Task mayEnd,
        out PlugInContext copy,
        out Task calling)
    {
        copy = new PlugInContext();
        var value = new object();
        ExecutionContext? context = null;
        ExecutionContext.Run(
            ExecutionContext.Capture()!,
            _ =>
            {
                Local.Value = value;
                context = ExecutionContext.Capture();
            },
            null);
        Action tell = called.SetResult;
        calling = copy.RunAsync(nameof(PlugIn.CallInContextAsync), directory, mode, context!, tell, mayEnd);
        return new WeakReference(value);
    }

    private static string SocketOf(TestServer server) => Path.Join(server.Directory, "greeter.unix");

    private static Task<TestServer> StartAsync() =>
        TestServer.StartAsync(static builder => builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenSharedMemory("greeter");
            kestrel.ListenUnixSocket(
                Path.Join(builder.Configuration["SharedMemory:RuntimeDirectory"], "greeter.unix"),
                static listen => listen.Protocols = HttpProtocols.Http2);
        }));
}
