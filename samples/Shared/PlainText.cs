using System.Text;

namespace Samples;

/// <summary>Text that can be read at eighty columns, also in files and pipes.</summary>
internal static class PlainText
{
    public const int Width = 80;

    /// <summary>Breaks a text into lines between its words. A longer word stays whole.</summary>
    /// <param name="text">The text, without line breaks.</param>
    /// <param name="indent">How many spaces the second line and each further line begin with.</param>
    /// <param name="width">The longest line.</param>
    public static string Wrap(string text, int indent = 0, int width = Width)
    {
        var result = new StringBuilder();
        var column = 0;
        var start = 0;
        while (start < text.Length)
        {
            // A word with the spaces before it. These spaces are kept, since columns of numbers are made of them.
            var word = start;
            while (word < text.Length && text[word] == ' ')
            {
                word++;
            }

            var end = text.IndexOf(' ', word) is var space && space < 0 ? text.Length : space;
            if (column > indent && column + (end - start) > width)
            {
                result.AppendLine().Append(' ', indent);
                column = indent;
                start = word;
            }

            result.Append(text, start, end - start);
            column += end - start;
            start = end;
        }

        return result.ToString();
    }
}
