namespace GrpcShm.AspNetCore.Hosting;

/// <summary>Reads the mode of a file as people write it in a configuration.</summary>
internal static class FileModeText
{
    // With the bits for the set-user id, the set-group id and deletion (07777).
    private const int Greatest = 0xfff;

    /// <summary>
    /// Reads an octal number, as <c>0660</c> or <c>660</c>, or the names of <see cref="UnixFileMode"/>, with commas in
    /// between.
    /// </summary>
    /// <returns>False if the text is neither.</returns>
    public static bool TryParse(string text, out UnixFileMode mode)
    {
        mode = UnixFileMode.None;
        text = text.Trim();
        return text.AsSpan().ContainsAnyExceptInRange('0', '9')
            ? TryParseNames(text, out mode)
            : TryParseOctal(text, out mode);
    }

    private static bool TryParseOctal(string text, out UnixFileMode mode)
    {
        var value = 0;
        mode = UnixFileMode.None;
        foreach (var digit in text)
        {
            value = (value * 8) + (digit - '0');
            if (digit > '7' || value > Greatest)
            {
                return false;
            }
        }

        mode = (UnixFileMode)value;
        return text.Length > 0;
    }

    private static bool TryParseNames(string text, out UnixFileMode mode)
    {
        mode = UnixFileMode.None;
        foreach (var name in text.Split(',', StringSplitOptions.TrimEntries))
        {
            // Enum.TryParse takes decimal numbers, too, which nobody means.
            if (name.Length == 0
                || !char.IsAsciiLetter(name[0])
                || !Enum.TryParse<UnixFileMode>(name, ignoreCase: true, out var bits))
            {
                return false;
            }

            mode |= bits;
        }

        return true;
    }
}
