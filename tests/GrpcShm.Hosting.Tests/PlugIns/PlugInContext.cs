using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;

namespace GrpcShm.Hosting.Tests.PlugIns;

/// <summary>
/// A plug-in as a host loads it: with its own copy of all assemblies that are not the framework's, this one included.
/// </summary>
/// <param name="shared">The assembly that the plug-in shares with the host.</param>
internal sealed class PlugInContext(string? shared = null) : AssemblyLoadContext("plug-in", isCollectible: true)
{
    // A copy of everything is loaded and compiled meanwhile. It guards against a hang.
    private static readonly TimeSpan Patience = TimeLimit.Value * 5;

    /// <summary>Runs a method of <see cref="PlugIn"/> in a copy of its own, and unloads it.</summary>
    /// <returns>A reference that shows whether the copy has been collected.</returns>
    public static Task<WeakReference> UseAsync(string method, params object[] arguments) =>
        UseSharingAsync(null, method, arguments);

    /// <inheritdoc cref="UseAsync"/>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static async Task<WeakReference> UseSharingAsync(string? shared, string method, params object[] arguments)
    {
        var context = new PlugInContext(shared);
        try
        {
            await context.RunAsync(method, arguments).WaitAsync(Patience, TestContext.Current.CancellationToken);
        }
        finally
        {
            // The plug-in has completed this task on a stack of its own frames. Who collects on top of them while their
            // context is unloaded can bring the run-time down.
            await Task.Yield();
            context.Unload();
        }

        return new WeakReference(context, trackResurrection: true);
    }

    /// <summary>Waits until all copies have been collected.</summary>
    public static Task AssertCollectedAsync(IReadOnlyCollection<WeakReference> contexts)
    {
        var alive = contexts.Count;
        return TimeLimit.UntilAsync(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                alive = contexts.Count(static c => c.IsAlive);
                return alive == 0;
            },
            () => $"{alive} of {contexts.Count} plug-ins are still there.");
    }

    public Task RunAsync(string method, params object[] arguments) =>
        (Task)LoadFromAssemblyPath(typeof(PlugIn).Assembly.Location)
            .GetType(typeof(PlugIn).FullName!, throwOnError: true)!
            .GetMethod(method, BindingFlags.Public | BindingFlags.Static)!
            .Invoke(null, arguments)!;

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        var path = Path.Join(AppContext.BaseDirectory, assemblyName.Name + ".dll");
        return (assemblyName.Name!.StartsWith("Grpc", StringComparison.Ordinal)
            || assemblyName.Name.StartsWith("Google.", StringComparison.Ordinal))
            && assemblyName.Name != shared
            && File.Exists(path)
                ? LoadFromAssemblyPath(path)
                : null;
    }
}
