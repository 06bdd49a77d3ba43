using System.IO.Pipes;

namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>Names of pipes that nobody else uses, and connections to them.</summary>
internal static class NamedPipeName
{
    /// <summary>A path in the directory where pipes are files, else a name that has the directory's in it.</summary>
    public static string In(string directory, string name) =>
        OperatingSystem.IsWindows() ? $"{Path.GetFileName(directory)}-{name}" : Path.Combine(directory, name + ".pipe");

    public static async Task<NamedPipeClientStream> ConnectAsync(string name, CancellationToken cancellationToken)
    {
        var pipe = new NamedPipeClientStream(
            ".", name, PipeDirection.InOut, PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly);
        try
        {
            await pipe.ConnectAsync(cancellationToken);
            return pipe;
        }
        catch
        {
            await pipe.DisposeAsync();
            throw;
        }
    }
}
