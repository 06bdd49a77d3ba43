namespace GrpcShm.Transport;

/// <summary>Says of a text that is not the address of an endpoint what it seems to be, and what to write.</summary>
internal static class WrongAddress
{
    /// <summary>A sentence with the right forms.</summary>
    public const string RightForms =
        "Write 'shm:orders' for a name, or 'shm:///absolute/orders.sock' for a path. A server shows the same endpoints "
        + "as 'http://shm:/orders' and 'http://shm:///absolute/orders.sock', which can be written, too.";

    private static readonly string RightNames =
        $"a name has 1 to {SharedMemoryEndPoint.MaxNameLength} characters out of A-Z, a-z, 0-9, '.', '_' and '-', and "
        + "does not start with a dot.";

    private static readonly string[] WebSchemes = ["http://", "https://"];

    /// <summary>Says what is wrong, and what the right forms are.</summary>
    public static string Describe(string text) =>
        $"'{text}' is not a shared-memory address: {FindReason(text)} {RightForms}";

    private static string FindReason(string text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return "it is empty.";
        }

        foreach (var scheme in WebSchemes)
        {
            if (text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
            {
                return IsOfSharedMemory(text[scheme.Length..])
                    ? "behind 'shm:' there has to be a slash and a name, or three slashes and a path."
                    : "it names a host, which is reached over TCP, and its host is not 'shm'.";
            }
        }

        if (text.StartsWith("shm://", StringComparison.OrdinalIgnoreCase))
        {
            return "behind 'shm://' there has to be the absolute path of a file; a name has one colon only.";
        }

        if (text.StartsWith("shm:/", StringComparison.OrdinalIgnoreCase))
        {
            return text.LastIndexOf('/') > "shm:".Length
                ? "behind 'shm:' a path has three slashes; one slash is followed by a name, which has none."
                : RightNames;
        }

        if (text.Contains("://", StringComparison.Ordinal))
        {
            return "it has another scheme than 'shm'.";
        }

        var name = text.StartsWith("shm:", StringComparison.OrdinalIgnoreCase) ? text["shm:".Length..] : text;
        return text.StartsWith("shm/", StringComparison.OrdinalIgnoreCase) ? "behind 'shm' there has to be a colon."
            : name.Contains('/', StringComparison.Ordinal) ? "a path has to be absolute, and to name a file."
            : RightNames;
    }

    // 'shm' is the whole host, whatever follows.
    private static bool IsOfSharedMemory(string rest) =>
        rest.StartsWith("shm", StringComparison.OrdinalIgnoreCase)
        && (rest.Length == "shm".Length || rest["shm".Length] is ':' or '/');
}
