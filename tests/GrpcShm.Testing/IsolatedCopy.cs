using System.Reflection;
using System.Runtime.Loader;

namespace GrpcShm.Testing;

/// <summary>
/// A copy of the libraries and of this assembly with static fields of its own, for example the reactors. So no objects
/// of other tests are registered in this copy.
/// </summary>
internal sealed class IsolatedCopy() : AssemblyLoadContext("isolated", isCollectible: true)
{
    /// <summary>
    /// Runs an internal static method of a test class in a copy of its own. The waits of this method must end by
    /// themselves.
    /// </summary>
    public static async Task RunAsync(Type type, string method, params object[] arguments)
    {
        var copy = new IsolatedCopy();
        try
        {
            await (Task)copy.LoadFromAssemblyPath(type.Assembly.Location)
                .GetType(type.FullName!, throwOnError: true)!
                .GetMethod(method, BindingFlags.NonPublic | BindingFlags.Static)!
                .Invoke(null, arguments)!;
        }
        finally
        {
            copy.Unload();
        }
    }

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        var path = Path.Join(AppContext.BaseDirectory, assemblyName.Name + ".dll");
        return assemblyName.Name!.StartsWith("GrpcShm", StringComparison.Ordinal) && File.Exists(path)
            ? LoadFromAssemblyPath(path)
            : null;
    }
}
