namespace GrpcShm.TestHost;

/// <summary>
/// The leash on which a test holds this process: it stops on the word <c>stop</c>, and when the pipe closes, so that
/// a test run that was killed leaves no orphan.
/// </summary>
internal static class StandardInput
{
    /// <summary>
    /// Reads lines on a thread of its own, because reading the console blocks, until the leash is let go.
    /// </summary>
    /// <param name="stop">What to do to stop; may be called twice.</param>
    /// <param name="command">What to do with any other line, also while stopping.</param>
    public static void Watch(Action stop, Action<string>? command = null)
    {
        var thread = new Thread(() =>
        {
            while (Console.In.ReadLine() is { } line)
            {
                if (line == "stop")
                {
                    stop();
                }
                else
                {
                    command?.Invoke(line);
                }
            }

            stop();
        })
        {
            IsBackground = true,
            Name = "standard input",
        };
        thread.Start();
    }
}
