/** The client: it starts `netc lsp` and shows what the server says. */

import * as vscode from "vscode";
import {
  LanguageClient,
  type LanguageClientOptions,
  type ServerOptions,
} from "vscode-languageclient/node";

const REMEDY = 'pip install ".[lsp]" in a checkout of netc';

let client: LanguageClient | undefined;

/** A client whose failure to start is told once, by `report`, and not by itself as well. */
class Client extends LanguageClient {
  isStarting = true;

  override error(...[message, data, shown]: Parameters<LanguageClient["error"]>): void {
    super.error(message, data, this.isStarting ? false : shown);
  }
}

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const files = vscode.workspace.createFileSystemWatcher("**/*.netdef");
  const restart = async (): Promise<void> => {
    await deactivate();
    await start(files);
  };
  context.subscriptions.push(
    files,
    vscode.commands.registerCommand("netc.restart", restart),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration("netc.command")) {
        await restart();
      }
    }),
  );
  await start(files);
}

export async function deactivate(): Promise<void> {
  const running = client;
  client = undefined;
  await running?.stop();
}

async function start(files: vscode.FileSystemWatcher): Promise<void> {
  const settings = vscode.workspace.getConfiguration("netc");
  const [command = "netc", ...args] = settings.get<string[]>("command", ["netc", "lsp"]);
  const server: ServerOptions = { command, args };
  const options: LanguageClientOptions = {
    documentSelector: [{ language: "netdef" }],
    initializationOptions: settings,
    initializationFailedHandler: () => false,
    synchronize: { configurationSection: "netc", fileEvents: files },
  };
  const starting = new Client("netc", "netc", server, options);
  try {
    await starting.start();
    starting.isStarting = false;
    client = starting;
  } catch (error) {
    void report([command, ...args].join(" "), error);
  }
}

/** Say that the server could not be started, and how to get it. */
async function report(command: string, error: unknown): Promise<void> {
  const open = "Open the setting";
  const chosen = await vscode.window.showErrorMessage(
    `"${command}" does not start. Install it with ${REMEDY}, ` +
      `or say where it is in the setting netc.command. (${String(error)})`,
    open,
  );
  if (chosen === open) {
    await vscode.commands.executeCommand("workbench.action.openSettings", "netc.command");
  }
}
