using System.Reflection;
using System.Runtime.Loader;

namespace GrpcShm.Testing;

/// <summary>
/// A copy of the libraries and of this assembly with statics of their own, such as the reactors: whatever other tests
/// leave behind in this process, here nothing is registered but what a test registers.
/// </summary>
internal sealed class IsolatedCopy() : AssemblyLoadContext("isolated", isCollectible: true)
{
    /// <summary>
    /// Runs an internal static method of a class of tests in a copy of its own. Its waits have ends of their own.
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
