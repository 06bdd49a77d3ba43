using System.Reflection;
using System.Runtime.Loader;

namespace GrpcShm.Transport.Diagnostics;

/// <summary>
/// Gives back what static fields hold when the context of an assembly is unloaded: threads, and objects that the
/// run-time keeps in lists of its own.
/// </summary>
/// <remarks>
/// Only for contexts that can be collected. The other contexts "unload" when the process ends. At that time nothing
/// must be gone, since others, such as exporters of metrics, still want to read it.
/// </remarks>
internal static class ContextUnloading
{
    /// <summary>Disposes of an object that the run-time keeps in a list when an assembly's context begins to
    /// unload.</summary>
    /// <returns>The same object.</returns>
    public static T DisposeWith<T>(Assembly assembly, T disposable)
        where T : IDisposable
    {
        Add(assembly, disposable.Dispose);
        return disposable;
    }

    /// <summary>Calls an action when an assembly's context begins to unload.</summary>
    public static void Add(Assembly assembly, Action action)
    {
        // The context keeps the handler, and the objects that the handler refers to go with the context.
        if (AssemblyLoadContext.GetLoadContext(assembly) is { IsCollectible: true } context)
        {
            context.Unloading += _ => action();
        }
    }
}
