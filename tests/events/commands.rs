//! Commands: ours, those of serverless-wsgi and of Zappa, in the function.

use super::*;

const COMMANDS: &str = "WSGI_LAMBDA_COMMANDS";

fn function() -> Function {
    source(APP).env(COMMANDS, "true").start()
}

fn ours(command: &str, arguments: &[&str]) -> Value {
    json!({ "_wsgi_lambda": { "command": command, "arguments": arguments } })
}

/// Exit code and output.
fn ran(function: &mut Function, event: &Value) -> (i64, String) {
    let result = function.invoke(event).json;
    (result["exit_code"].as_i64().unwrap_or(-1), result["output"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn python_code_shows_what_it_prints_and_its_last_value() {
    let mut function = function();
    let mut exec = |code: &str| ran(&mut function, &ours("exec", &[code]));
    assert_eq!(exec("print('one')\n6 * 7"), (0, "one\n42\n".to_owned()));
    assert_eq!(exec("None"), (0, String::new()));
    assert_eq!(exec("callable(app)"), (0, "True\n".to_owned()));
    assert_eq!(exec("import sys\nprint('to stderr', file=sys.stderr)\nsys.exit(3)"), (3, "to stderr\n".to_owned()));
    assert_eq!(exec("raise SystemExit('no')"), (1, "no\n".to_owned()));
    let (code, output) = exec("def f():\n    1 / 0\nf()");
    assert!(code == 1 && output.contains("ZeroDivisionError") && output.contains("in f"), "{output}");
    assert!(!output.contains("commands.py"), "no frames of the runtime's: {output}");
    let (code, output) = exec("def (");
    assert!(code == 1 && output.contains("SyntaxError"), "{output}");
    assert_eq!(exec("import logging; logging.error('logged')").0, 0);
    let logs = function.logs();
    assert!(logs.starts_with("one\n") && logs.contains("logged"), "the log has the output, too: {logs}");
    assert_eq!(function.replay("rest-get").status(), 200);
    assert!(!function.logs().contains("Exception"), "{}", function.logs());
}

/// As the env.py of Flask-Migrate and Alembic does.
#[test]
fn what_a_command_does_to_logging_ends_with_it() {
    let mut function = function();
    let mut exec = |code: &str| ran(&mut function, &ours("exec", &[code])).1;
    let log = "import logging\nlogging.getLogger('shop').warning('an order')\n";
    assert!(exec(log).contains("[WARNING]"), "in the form of the runtime");
    let lasting = "import logging.config\n\
                   logging.config.dictConfig({'version': 1, 'root': {'handlers': [], 'level': 'ERROR'}})\n";
    assert_eq!(exec(&format!("{lasting}{log}")), "", "the logger is disabled, as it asks for");
    let after = exec(&format!("{log}logging.root.level == logging.WARNING"));
    assert!(after.contains("[WARNING]") && after.contains("an order") && after.ends_with("True\n"), "{after}");
}

#[test]
fn programs_run_with_their_exit_code() {
    let mut function = function();
    let mut run = |arguments: &[&str]| ran(&mut function, &ours("run", arguments));
    assert_eq!(run(&["sh", "-c", "echo out; echo err >&2; exit 7"]), (7, "out\nerr\n".to_owned()));
    assert_eq!(run(&["sh", "-c", "kill -9 $$"]).0, 137);
    assert_eq!(run(&["/nowhere/program"]), (127, "/nowhere/program: No such file or directory\n".to_owned()));
    assert_eq!(run(&["cat"]), (0, String::new()), "its input is empty");
    assert_eq!(run(&[]).0, 1);
}

#[test]
fn what_the_function_does_not_have_is_said() {
    let mut function = function();
    let (code, output) = ran(&mut function, &ours("manage", &["check"]));
    assert!(code == 1 && output.contains("`manage` needs Django"), "{output}");
    let (code, output) = ran(&mut function, &ours("flask", &["routes"]));
    assert!(code == 1 && output.contains("`flask` needs"), "{output}");
    let (code, output) = ran(&mut function, &ours("dance", &[]));
    assert!(code == 1 && output.contains("it has manage, flask, exec, run"), "{output}");
}

#[test]
fn of_a_long_output_the_end_is_kept() {
    let mut function = function();
    let code = "for number in range(600_000): print(f'line {number:06}')";
    let result = function.invoke(ours("exec", &[code])).json;
    let output = result["output"].as_str().unwrap();
    assert!(output.ends_with("line 599999\n"), "{}", &output[output.len() - 100..]);
    assert_eq!(result["cut"].as_u64().unwrap() + output.len() as u64, 600_000 * 12);
    let mut binary = |code: &str| function.invoke(ours("exec", &[code])).json["output"].clone();
    assert_eq!(binary("import sys; sys.stdout.buffer.write(b'\\xff\\n') and None"), "\u{FFFD}\n");
}

#[test]
fn the_deadline_interrupts_a_command_and_its_output_arrives() {
    let mut function = source(APP).env(COMMANDS, "true").timeout(Duration::from_secs(2)).start();
    for (command, code) in [("exec", "print('begun')\nimport time\ntime.sleep(60)"), ("run", "echo begun; sleep 60")] {
        let event = if command == "run" { ours("run", &["sh", "-c", code]) } else { ours(command, &[code]) };
        let (status, output) = ran(&mut function, &event);
        assert_eq!(status, 124, "{command}: {output}");
        assert!(output.starts_with("begun\n") && output.contains("the function's timeout is near"), "{output}");
        assert!(output.contains("DeadlineReached"), "{output}");
    }
    assert!(function.logs().contains("the command is interrupted"), "{}", function.logs());
    assert_eq!(ran(&mut function, &ours("exec", &["1"])), (0, "1\n".to_owned()), "the process goes on");
}

#[test]
fn serverless_wsgi_gets_a_list() {
    let mut function = function();
    let mut run = |command: &str, data: &str| {
        function.invoke(json!({ "_serverless-wsgi": { "command": command, "data": data } })).json
    };
    assert_eq!(run("exec", "print(1 + 1)"), json!([0, "2\n"]));
    assert_eq!(run("command", "echo $((2 + 1)); exit 4"), json!([4, "3\n"]));
    let failed = run("manage", "migrate --noinput");
    assert!(failed[0] == 1 && failed[1].as_str().unwrap().contains("needs Django"), "{failed}");
}

#[test]
fn zappa_gets_the_result_of_its_function_and_errors() {
    let mut function = function();
    let called = function.invoke(json!({ "command": "app.run", "days": 3 })).json;
    assert_eq!(called["run"]["days"], 3);
    assert_eq!(function.invoke(json!({ "command": "time.time_ns" })).json.as_u64().map(|ns| ns > 1 << 60), Some(true));
    assert_eq!(function.invoke(json!({ "command": "os.getcwd" })).json.as_str().map(str::is_empty), Some(false));
    assert_eq!(function.invoke(json!({ "raw_command": "print('raw')" })).json, Value::Null);
    assert!(function.logs().contains("raw"));
    assert_eq!(function.invoke(json!({ "raw_command": "1 / 0" })).error()["errorType"], "ZeroDivisionError");
    assert_eq!(function.invoke(json!({ "command": "nowhere.f" })).error()["errorType"], "ModuleNotFoundError");
}

#[test]
fn django_and_flask_run_their_own_commands() {
    let venv = root().join(".cache/venv");
    let start = |folder: &str, handler: &str| {
        support::app(folder, handler)
            .env("WSGI_LAMBDA_VENV", venv.to_str().unwrap())
            .env("DJANGO_ALLOWED_HOSTS", "*")
            .env(COMMANDS, "true")
            .start()
    };
    let mut django = start("examples/django", "mysite.wsgi:application");
    let (code, output) = ran(&mut django, &ours("manage", &["check"]));
    assert!(code == 0 && output.contains("System check identified no issues"), "{output}");
    let open = "from django.db import connections\nconnections['default'].close = lambda: print('closed')\n";
    assert_eq!(ran(&mut django, &ours("exec", &[open])), (0, String::new()));
    let (_, output) = ran(&mut django, &ours("manage", &["check"]));
    assert!(output.starts_with("closed\nSystem check"), "no connection of a request's is used: {output}");
    let (code, output) = ran(&mut django, &ours("manage", &["nothing"]));
    assert!(code == 1 && output.contains("Unknown command: 'nothing'"), "{output}");
    let theirs = json!({ "_serverless-wsgi": { "command": "manage", "data": "check --tag security" } });
    assert_eq!(django.invoke(theirs).json[0], 0);
    assert_eq!(django.invoke(json!({ "manage": "check" })).json, json!({}));
    assert_eq!(django.invoke(json!({ "manage": "nothing" })).error()["errorType"], "CommandError");
    let mut flask = start("examples/flask", "app:app");
    let (code, output) = ran(&mut flask, &ours("flask", &["routes"]));
    assert!(code == 0 && output.contains("Endpoint"), "{output}");
    let (code, output) = ran(&mut flask, &ours("flask", &["nothing"]));
    assert!(code == 2 && output.contains("No such command 'nothing'"), "{output}");
}

#[test]
fn without_the_setting_a_command_is_an_event_like_any_other() {
    let command = ours("exec", &["print('must not run')"]);
    source(APP).start().invoke(&command).error();
    let mut function = with("app:run").start();
    for event in [command, json!({ "raw_command": "print('must not run')" }), json!({ "manage": "check" })] {
        assert_eq!(function.invoke(&event).json["run"], event);
    }
    assert!(!function.logs().contains("must not run"));
}
