using System.Reflection;
using System.Runtime.Loader;

namespace GrpcShm.Transport.Diagnostics;

/// <summary>
/// What statics have to give back when the context that an assembly was loaded into is unloaded: threads, and what the
/// run-time keeps in lists of its own.
/// </summary>
/// <remarks>
/// Only for contexts that can be collected. The others "unload" when the process ends, and then nothing must be gone
/// before those have been heard who still want to know at the end, exporters of metrics for one.
/// </remarks>
internal static class ContextUnloading
{
    /// <summary>Disposes of what the run-time keeps in a list when an assembly's context begins to unload.</summary>
    /// <returns>The same.</returns>
    public static T DisposeWith<T>(Assembly assembly, T disposable)
        where T : IDisposable
    {
        Add(assembly, disposable.Dispose);
        return disposable;
    }

    /// <summary>Calls an action when an assembly's context begins to unload.</summary>
    public static void Add(Assembly assembly, Action action)
    {
        // The context keeps the handler, and what the handler is made of goes with the context.
        if (AssemblyLoadContext.GetLoadContext(assembly) is { IsCollectible: true } context)
        {
            context.Unloading += _ => action();
        }
    }
}
