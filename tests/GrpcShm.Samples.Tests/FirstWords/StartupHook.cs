using GrpcShm.Samples.Tests.FirstWords;

#pragma warning disable CA1050 // The runtime looks for this class without a namespace.

/// <summary>
/// The runtime runs this in a sample's process before the sample itself, if <c>DOTNET_STARTUP_HOOKS</c> names this
/// assembly. It watches what the sample writes first.
/// </summary>
internal static class StartupHook
{
    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(FirstWordsWriter.FileVariable) is { } file)
        {
            // The processes that the sample starts are not watched.
            Environment.SetEnvironmentVariable(FirstWordsWriter.FileVariable, null);
            Environment.SetEnvironmentVariable(FirstWordsWriter.HooksVariable, null);
            Console.SetOut(new FirstWordsWriter(Console.Out, file));
            Console.SetError(new FirstWordsWriter(Console.Error, file));
        }
    }
}
